// A request for an upstream that speaks Messages itself: its text stays as the client wrote it, and only what
// would not be taken there is cut out of it or put into it.
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject } from "../../protocol/json.ts"
import {
  elementsOf,
  type Member,
  memberOf,
  membersOf,
  removalsOf,
  type Span,
} from "../../protocol/json-spans.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import { isOurs } from "../common/carrier.ts"
import type { TokenLimits } from "../request/parameters.ts"

export interface DirectOptions {
  /** The name the upstream knows the model by. */
  readonly model: string
  /** Put in where the client sent no `max_tokens`. Undefined: the endpoint knows no such field. */
  readonly maxTokens: number | undefined
  /**
   * Does the upstream check thinking signatures, as Anthropic does? Then only genuine ones are sent, and a
   * message thread is its own business; an upstream that does not check gets all but our empty blocks.
   */
  readonly genuineOnly: boolean
}

/** What is put in for a `max_tokens` that is missing: the setting's default, within every limit there is. */
export function directMaxTokens(
  { maxOutputTokens }: Pick<ProviderProfile, "maxOutputTokens">,
  { defaultMaxTokens, maxTokensLimit }: Pick<TokenLimits, "defaultMaxTokens" | "maxTokensLimit">,
): number {
  const limits = [defaultMaxTokens, maxOutputTokens, maxTokensLimit]
  return Math.min(...limits.filter((limit) => typeof limit === "number"))
}

interface DirectBody {
  readonly text: string
  readonly notes: readonly Note[]
}

interface Edit extends Span {
  readonly text: string
}

/** Blocks to be left out of one message; `whole`: nothing else is in it. */
interface Refused {
  readonly message: number
  readonly blocks: ReadonlyMap<number, string>
  readonly whole: boolean
}

/**
 * The request's text for the upstream. `text` must be the JSON that `body` was parsed from; when nothing has
 * to change, the very same string comes back. Every change is noted.
 */
export function prepareDirectBody(text: string, body: JsonObject, options: DirectOptions): DirectBody {
  const refused = refusedBlocks(body, options.genuineOnly)
  const dropThread = !options.genuineOnly && Object.hasOwn(body, "thread")
  const fields = wantedFields(body, options)
  if (refused.length === 0 && !dropThread && fields.length === 0) return { text, notes: [] }
  const members = membersOf(text, 0)
  const alone = members.every(({ key }) => dropThread && key === "thread")
  const edits = [
    ...fieldEdits(text, members, fields, alone),
    ...(dropThread ? threadEdits(members) : []),
    ...blockEdits(text, members, refused),
  ]
  const notes = [
    ...fields.map(({ key, why }) => changed(key, why)),
    ...(dropThread ? [dropped("thread", "message threads are kept by Anthropic alone")] : []),
    ...refused.flatMap(refusalNotes),
  ]
  return { text: applyEdits(text, edits), notes }
}

interface Field {
  readonly key: string
  readonly value: string
  readonly why: string
}

function wantedFields(body: JsonObject, { model, maxTokens }: DirectOptions): readonly Field[] {
  const fields: Field[] = []
  if (body["model"] !== model)
    fields.push({ key: "model", value: JSON.stringify(model), why: `${model} at this upstream` })
  const limit = body["max_tokens"]
  if (maxTokens !== undefined && (limit === undefined || limit === null))
    fields.push({ key: "max_tokens", value: String(maxTokens), why: `none was sent, so it is ${maxTokens}` })
  return fields
}

/** New values for members that are there; what is not goes first (`alone`: with nothing after it). */
function fieldEdits(
  text: string,
  members: readonly Member[],
  fields: readonly Field[],
  alone: boolean,
): readonly Edit[] {
  const edits: Edit[] = []
  let added = ""
  for (const { key, value } of fields) {
    const member = memberOf(members, key)
    if (member === undefined) added += `"${key}":${value},`
    else edits.push({ ...member.value, text: value })
  }
  if (added === "") return edits
  const start = text.indexOf("{") + 1
  return [...edits, { start, end: start, text: alone ? added.slice(0, -1) : added }]
}

function threadEdits(members: readonly Member[]): readonly Edit[] {
  const gone = members.flatMap(({ key }, position) => (key === "thread" ? [position] : []))
  return removalEdits(
    members.map(({ span }) => span),
    gone,
  )
}

function blockEdits(text: string, members: readonly Member[], refused: readonly Refused[]): readonly Edit[] {
  const messages = memberOf(members, "messages")
  if (refused.length === 0 || messages === undefined) return []
  const spans = elementsOf(text, messages.value.start)
  const whole = refused.filter((one) => one.whole).map(({ message }) => message)
  const parts = refused.flatMap(({ message, blocks, whole: all }) => {
    const span = spans[message]
    if (all || span === undefined) return []
    const content = memberOf(membersOf(text, span.start), "content")
    if (content === undefined) return []
    return removalEdits(elementsOf(text, content.value.start), [...blocks.keys()])
  })
  return [...removalEdits(spans, whole), ...parts]
}

function removalEdits(items: readonly Span[], gone: readonly number[]): readonly Edit[] {
  return removalsOf(items, new Set(gone)).map((span) => ({ ...span, text: "" }))
}

function applyEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = []
  let from = 0
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(text.slice(from, edit.start), edit.text)
    from = edit.end
  }
  parts.push(text.slice(from))
  return parts.join("")
}

function refusedBlocks(body: JsonObject, genuineOnly: boolean): readonly Refused[] {
  return arrayOf(body["messages"]).flatMap((message, position): readonly Refused[] => {
    if (!isObject(message) || message["role"] !== "assistant") return []
    const content = arrayOf(message["content"])
    const blocks = new Map<number, string>()
    for (const [index, block] of content.entries()) {
      const why = isObject(block) ? refusal(block, genuineOnly) : undefined
      if (why !== undefined) blocks.set(index, why)
    }
    return blocks.size === 0 ? [] : [{ message: position, blocks, whole: blocks.size === content.length }]
  })
}

function refusalNotes({ message, blocks, whole }: Refused): readonly Note[] {
  const path = `messages.${message}`
  const notes = [...blocks].map(([index, why]) => dropped(`${path}.content.${index}`, why))
  return whole ? [...notes, dropped(path, "nothing else is in the message")] : notes
}

/** Why a block cannot be sent; undefined when it can. */
function refusal(block: JsonObject, genuineOnly: boolean): string | undefined {
  const type = block["type"]
  if (type !== "thinking" && type !== "redacted_thinking") return undefined
  const given = type === "thinking" ? block["signature"] : block["data"]
  const signature = typeof given === "string" ? given : ""
  const ours = isOurs(signature)
  if (!genuineOnly) return ours && !block["thinking"] ? "made by this proxy, and without a text" : undefined
  if (ours) return "made by this proxy from another provider's reasoning"
  if (signature === "") return "it has no signature"
  return isGenuine(signature) ? undefined : "its signature is not Anthropic's"
}

/**
 * Anthropic's own signatures are standard base64 of a protocol buffer that begins with byte 0x12, of one that
 * is encoded twice, or of the newer envelope that begins with 0x08 (seen in CLIProxyAPI's validation).
 */
function isGenuine(signature: string): boolean {
  return /^[ERC][A-Za-z0-9+/]*={0,2}$/.test(signature)
}
