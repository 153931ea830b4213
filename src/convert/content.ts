// Content blocks as Chat Completions takes them: text and image parts, and text in place of what it has no
// part for. Nothing vanishes without a trace: what cannot be sent leaves a short note in the text.
import type { ContentBlock } from "../protocol/blocks.ts"
import type { ChatPart } from "../protocol/chat.ts"
import { changed, dropped, type Note } from "../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../protocol/json.ts"
import type { ProviderProfile } from "../providers/profile.ts"

export interface Converted<T> {
  readonly value: T
  readonly notes: readonly Note[]
}

type TextPart = Extract<ChatPart, { type: "text" }>

const text = (value: string): TextPart => ({ type: "text", text: value.toWellFormed() })

/** The parts of user content or of a tool result. `path` is the JSON path of the blocks, for notes. */
export function convertParts(
  blocks: readonly ContentBlock[],
  profile: ProviderProfile,
  path: string,
): Converted<readonly ChatPart[]> {
  const parts: ChatPart[] = []
  const notes: Note[] = []
  for (const [index, block] of blocks.entries()) {
    const converted = convertPart(block, profile, `${path}.${index}`)
    parts.push(...converted.value)
    notes.push(...converted.notes)
  }
  return { value: parts, notes }
}

function convertPart(
  block: ContentBlock,
  profile: ProviderProfile,
  path: string,
): Converted<readonly ChatPart[]> {
  switch (block.type) {
    case "text":
      return plain(block.text.trim() === "" ? [] : [text(block.text)])
    case "image":
      return convertImage(block, profile, path)
    case "document":
      return convertDocument(block, profile, path)
    case "search_result": {
      const inner = block.content.flatMap((item) => (item.type === "text" ? [item.text] : [])).join("\n")
      return plain([
        text(`<search_result title="${block.title}" source="${block.source}">\n${inner}\n</search_result>`),
      ])
    }
    case "tool_reference":
      return plain([text(`Tool ${block.tool_name} is now available.`)])
    case "tool_result":
      return convertParts(block.content, profile, `${path}.content`)
    case "thinking":
    case "redacted_thinking":
    case "tool_use":
      // Only an assistant can have thought or called: in a user's turn these are not believed.
      return { value: [], notes: [dropped(path, `a ${block.type} block has no place in a user message`)] }
    case "other":
      return convertOther(block.original, path)
    default:
      return block satisfies never
  }
}

const plain = (parts: readonly ChatPart[]): Converted<readonly ChatPart[]> => ({ value: parts, notes: [] })

function convertImage(
  block: Extract<ContentBlock, { type: "image" }>,
  profile: ProviderProfile,
  path: string,
): Converted<readonly ChatPart[]> {
  const { source } = block
  if (!profile.vision) {
    return {
      value: [text("[image omitted: this model cannot see images]")],
      notes: [changed(path, "no vision")],
    }
  }
  if (source.type === "file") {
    const why = "files of the Files API are not available through this proxy"
    return { value: [text(`[image ${source.file_id} omitted: ${why}]`)], notes: [changed(path, why)] }
  }
  const url = source.type === "url" ? source.url : `data:${source.media_type};base64,${source.data}`
  return plain([{ type: "image_url", image_url: { url } }])
}

function convertDocument(
  block: Extract<ContentBlock, { type: "document" }>,
  profile: ProviderProfile,
  path: string,
): Converted<readonly ChatPart[]> {
  const { source, title } = block
  const name = title === undefined ? "" : ` title="${title}"`
  const context = block.context === undefined ? "" : `${block.context}\n`
  if (source.type === "text") return plain([text(`<document${name}>\n${context}${source.data}\n</document>`)])
  if (source.type === "content") {
    const inner = convertParts(source.content, profile, `${path}.source.content`)
    return {
      value: [text(`<document${name}>${context}`), ...inner.value, text("</document>")],
      notes: inner.notes,
    }
  }
  if (source.type === "base64" && profile.pdf === "file") {
    const file_data = `data:${source.media_type};base64,${source.data}`
    return plain([{ type: "file", file: { filename: title ?? "document.pdf", file_data } }])
  }
  const what = source.type === "base64" ? `${Math.floor(source.data.length * 0.75)} bytes` : source.type
  const why = "this provider takes no documents"
  return { value: [text(`[PDF document omitted: ${title ?? what}; ${why}]`)], notes: [changed(path, why)] }
}

function convertOther(block: JsonObject, path: string): Converted<readonly ChatPart[]> {
  const type = String(block["type"])
  if (type === "container_upload") {
    return {
      value: [text(`[file ${String(block["file_id"])} is not available here]`)],
      notes: [changed(path, type)],
    }
  }
  const summary = type === "compaction" ? textOf(block["content"]) : undefined
  if (summary !== undefined) return plain([text(`<summary>\n${summary}\n</summary>`)])
  return { value: [], notes: [dropped(path, `unknown block type ${type}`)] }
}

/** The text that a server-side tool's block in an assistant turn stands for; undefined: nothing to say. */
export function serverBlockText(block: JsonObject): string | undefined {
  const type = String(block["type"])
  if (type === "server_tool_use" || type === "mcp_tool_use") {
    return `[${String(block["name"])}: ${JSON.stringify(block["input"] ?? {})}]`
  }
  if (type === "compaction") return textOf(block["content"])
  if (!type.endsWith("_tool_result")) return undefined
  const content = block["content"]
  const failure = textOf(objectOf(content)["error_code"])
  if (failure !== undefined) return `[${type} failed: ${failure}]`
  const lines = arrayOf(content).filter(isObject).map(resultLine)
  return lines.length > 0 ? lines.join("\n") : `[${type}] ${JSON.stringify(content ?? "").slice(0, 2000)}`
}

function resultLine(item: JsonObject): string {
  const url = textOf(item["url"])
  return url === undefined ? (textOf(item["text"]) ?? "") : `- ${textOf(item["title"]) ?? url} — ${url}`
}

/** Parts as content: one string when all are text (many servers take nothing else), else the parts. */
export function joinParts(parts: readonly ChatPart[]): string | readonly ChatPart[] {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []))
  return texts.length === parts.length ? texts.join("\n\n") : parts
}
