// Fields of a request that go nowhere, as notes. They are read off the raw body in one walk: parsing keeps what
// it knows and forgets the rest. What clients repeat a hundred times is told once, with its number.
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import { efforts, knownFields } from "../../protocol/messages/messages.ts"
import { toolsetOf } from "../../protocol/messages/toolsets.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import { isBillingLine } from "../dialogue/system.ts"
import {
  type Findings,
  findField,
  findHalf,
  findMark,
  findNote,
  halves,
  notesOf,
  startFindings,
} from "./findings.ts"
import { findTypedTool } from "./typed-tools.ts"

type Facts = Pick<ProviderProfile, "cacheControl" | "webSearch">

const keys = (...names: readonly string[]): ReadonlySet<string> => new Set(names)

/** What is read of each part of a request; whatever else stands there is dropped. */
const parts: readonly { readonly field: string; readonly known: ReadonlySet<string> }[] = [
  { field: "tool_choice", known: keys("type", "name", "disable_parallel_tool_use") },
  { field: "thinking", known: keys("type", "budget_tokens") },
  { field: "output_config", known: keys("effort", "format") },
  { field: "output_format", known: keys("type", "schema") },
  { field: "metadata", known: keys("user_id") },
  { field: "compaction", known: keys("type", "instructions") },
]
const messageKeys = keys("role", "content", "output_config", "clear_at")
const textKeys = keys("type", "text")
const blockKeys: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    text: textKeys,
    image: keys("type", "source"),
    document: keys("type", "source", "title", "context"),
    search_result: keys("type", "source", "title", "content"),
    thinking: keys("type", "thinking", "signature"),
    redacted_thinking: keys("type", "data"),
    tool_use: keys("type", "id", "name", "input", "toolset_name"),
    // The call that it answers says the toolset.
    tool_result: keys("type", "tool_use_id", "content", "is_error", "toolset_name"),
    tool_reference: keys("type", "tool_name"),
  }),
)
const sourceKeys = keys("type", "media_type", "data", "url", "content")
const toolKeys = keys("type", "name", "description", "input_schema", "strict", "function", "defer_loading")
const functionKeys = keys("name", "description", "parameters")
const screenKeys = keys(...toolKeys, "display_width_px", "display_height_px", "enable_zoom")
const toolsetKeys = keys("type", "configs")
// The limits of a search are spoken of where it is converted.
const searchKeys = keys(...toolKeys, "max_uses", "allowed_domains", "blocked_domains", "user_location")

/**
 * Notes on every field of the raw body that has no meaning for the upstream, and on words that are not known.
 * `raw` is a body that was found valid. The time it takes grows with the number of its fields, not of its
 * characters.
 */
export function noteUnknownFields(raw: JsonObject, profile: Facts): readonly Note[] {
  const findings = startFindings()
  for (const field in raw) {
    if (!knownFields.has(field)) findField(findings, raw[field], field, "")
  }
  findMark(findings, raw["cache_control"], "")
  noteWords(raw, findings)
  for (const { field, known } of parts) noteKeys(raw[field], known, field, findings)
  noteKeys(objectOf(raw["output_config"])["format"], textFormat, "output_config.format", findings)
  noteSystem(raw["system"], findings)
  const tools = arrayOf(raw["tools"])
  for (let index = 0; index < tools.length; index++) {
    noteTool(tools[index], `tools.${index}`, profile, findings)
  }
  const messages = arrayOf(raw["messages"])
  for (let index = 0; index < messages.length; index++) {
    noteMessage(objectOf(messages[index]), index, profile, findings)
  }
  return notesOf(findings, profile.cacheControl)
}

const textFormat = keys("type", "schema")

/** Notes on the keys of an object at `path`, or of item `index` there; a path is only put together for a note. */
function noteKeys(
  value: unknown,
  known: ReadonlySet<string>,
  path: string,
  findings: Findings,
  index?: number,
): void {
  if (!isObject(value)) return
  for (const key in value) {
    if (!known.has(key)) findField(findings, value[key], key, path, index)
  }
}

const isOneOf = (value: unknown, words: readonly string[]): boolean =>
  value === undefined || value === null || (typeof value === "string" && words.includes(value))

const thinkingTypes = ["enabled", "adaptive", "disabled", "between_tools"]
const quote = (value: unknown): string => (JSON.stringify(value) ?? "").slice(0, 60)

/** Words that nobody here has heard of: they are passed over, for tomorrow's clients' sake. */
function noteWords(raw: JsonObject, findings: Findings): void {
  const type = objectOf(raw["thinking"])["type"]
  if (!isOneOf(type, thinkingTypes))
    findNote(findings, changed("thinking.type", `${quote(type)} is not known here: read as "adaptive"`))
  passOver("output_config.effort", objectOf(raw["output_config"])["effort"], efforts, findings)
  passOver("service_tier", raw["service_tier"], serviceTiers, findings)
  passOver("speed", raw["speed"], speeds, findings)
  passOver("compaction.type", objectOf(raw["compaction"])["type"], compactions, findings)
}

const serviceTiers = ["auto", "standard_only"]
const speeds = ["fast", "standard"]
const compactions = ["summarize"]

function passOver(path: string, value: unknown, words: readonly string[], findings: Findings): void {
  if (!isOneOf(value, words)) findNote(findings, dropped(path, `${quote(value)} is not known here`))
}

function noteSystem(system: unknown, findings: Findings): void {
  if (typeof system === "string") noteSystemText(system, "system", findings)
  if (!Array.isArray(system)) return
  for (const [index, block] of system.entries()) {
    const path = `system.${index}`
    if (typeof block === "string") noteSystemText(block, path, findings)
    if (!isObject(block)) continue
    const { type, text } = block
    if (type === "text") {
      noteKeys(block, textKeys, path, findings)
      findMark(findings, block["cache_control"], path)
      if (typeof text === "string") noteSystemText(text, path, findings)
    } else findNote(findings, dropped(path, `a ${quote(type)} block in the system prompt is not understood`))
  }
}

function noteSystemText(text: string, path: string, findings: Findings): void {
  if (!text.isWellFormed()) findHalf(findings, path)
  noteBilling(text, path, findings)
}

function noteBilling(text: string, path: string, findings: Findings): void {
  if (isBillingLine(text))
    findNote(findings, dropped(path, "Claude Code's billing line is no part of the prompt"))
}

/** Tools that Anthropic's servers run are left out whole, with a note of their own. */
function noteTool(tool: unknown, path: string, { webSearch }: Facts, findings: Findings): void {
  if (!isObject(tool)) return
  const known = knownToolKeys(tool, webSearch !== "none")
  if (known === undefined) return
  noteKeys(tool, known, path, findings)
  findMark(findings, tool["cache_control"], path)
  noteKeys(tool["function"], functionKeys, `${path}.function`, findings)
  if (tool["defer_loading"] === true) findField(findings, true, "defer_loading", path)
  if (halves(tool["description"])) findHalf(findings, `${path}.description`)
}

const noScreen = { width: undefined, height: undefined, zoom: false }

function knownToolKeys(tool: JsonObject, searches: boolean): ReadonlySet<string> | undefined {
  const type = tool["type"] ?? "custom"
  if (type === "custom") return toolKeys
  if (typeof type !== "string") return undefined
  if (toolsetOf(type) !== undefined) return toolsetKeys
  if (type.startsWith("web_search_")) return searches ? searchKeys : undefined
  if (findTypedTool({ type, screen: noScreen }) !== undefined)
    return type.startsWith("computer_") ? screenKeys : toolKeys
  const isOwn = type === "function" || isObject(tool["input_schema"])
  return isOwn ? toolKeys : undefined
}

function noteMessage(message: JsonObject, index: number, facts: Facts, findings: Findings): void {
  noteKeys(message, messageKeys, "messages", findings, index)
  if (isObject(message["output_config"])) noteConfig(message["output_config"], index, findings)
  const { role, content } = message
  const path = `messages.${index}.content`
  noteContent(content, path, findings)
  const isSystem = role === "system" || role === "developer"
  if (isSystem && typeof content === "string") noteBilling(content, path, findings)
  if (!Array.isArray(content)) return
  for (let at = 0; at < content.length; at++) {
    const block: unknown = content[at]
    if (!isObject(block)) continue
    const { text } = block
    if (isSystem && typeof text === "string") noteBilling(text, `${path}.${at}`, findings)
    if (isObject(block["cache_control"])) findMark(findings, block["cache_control"], `${path}.${at}`)
    if (block["type"] !== "tool_addition") continue
    noteTool(objectOf(block["tool"])["definition"], `${path}.${at}.tool.definition`, facts, findings)
  }
}

const configKeys = keys("effort")

function noteConfig(config: JsonObject, index: number, findings: Findings): void {
  const path = `messages.${index}.output_config`
  noteKeys(config, configKeys, path, findings)
  passOver(`${path}.effort`, config["effort"], efforts, findings)
}

function noteContent(content: unknown, path: string, findings: Findings): void {
  if (typeof content === "string") {
    if (!content.isWellFormed()) findHalf(findings, path)
  } else if (Array.isArray(content)) {
    for (let index = 0; index < content.length; index++) {
      const block: unknown = content[index]
      if (isObject(block)) noteBlock(block, path, index, findings)
    }
  }
}

/** A block of a type nobody knows is dropped or read whole: its fields are no matter. */
function noteBlock(block: JsonObject, path: string, index: number, findings: Findings): void {
  const type = block["type"]
  if (typeof type !== "string") return
  const known = blockKeys.get(type)
  if (known === undefined) return
  noteKeys(block, known, path, findings, index)
  switch (type) {
    case "text":
      if (halves(block["text"])) findHalf(findings, `${path}.${index}.text`)
      return
    case "tool_use":
      if (halves(block["input"])) findHalf(findings, `${path}.${index}.input`)
      return
    case "tool_result":
    case "search_result":
      noteContent(block["content"], `${path}.${index}.content`, findings)
      return
    case "image":
    case "document":
      noteSource(objectOf(block["source"]), `${path}.${index}.source`, findings)
  }
}

function noteSource(source: JsonObject, path: string, findings: Findings): void {
  noteKeys(source, sourceKeys, path, findings)
  if (source["type"] === "text" && halves(source["data"])) findHalf(findings, `${path}.data`)
  if (source["type"] === "content") noteContent(source["content"], `${path}.content`, findings)
}
