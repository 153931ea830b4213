// Content blocks as Chat Completions takes them: text and image parts, and text in place of what it has no
// part for. Nothing vanishes without a trace: what cannot be sent leaves a short note in the text.

import type { ChatPart } from "../../protocol/chat/chat.ts"
import { changed, dropped, type Note, noNotes } from "../../protocol/fault.ts"
import { type JsonObject, textOf } from "../../protocol/json.ts"
import type { ContentBlock, MediaSource } from "../../protocol/messages/content-block.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import { mapToolName } from "./names.ts"
import { serverBlockText } from "./server-blocks.ts"

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
  let notes: Note[] | undefined
  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index]
    if (block === undefined) continue
    if (block.type === "text") addText(block.text, parts)
    else {
      const converted = convertPart(block, profile, `${path}.${index}`)
      for (const part of converted.value) parts.push(part)
      for (const note of converted.notes) {
        notes ??= []
        notes.push(note)
      }
    }
  }
  return { value: parts, notes: notes ?? noNotes }
}

/** Puts a text after the other parts. White space alone says nothing, and is refused by some. */
export function addText(given: string, parts: ChatPart[]): void {
  if (given.trim() !== "") parts.push(text(given))
}

/** The parts that one block stands for. `path` is the block's own JSON path, for notes. */
export function convertPart(
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
      const attributes = attribute("title", block.title) + attribute("source", block.source)
      return plain([text(`<search_result${attributes}>\n${inner}\n</search_result>`)])
    }
    case "tool_reference":
      return plain([text(`Tool ${mapToolName(block.tool_name, profile)} is now available.`)])
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

const attribute = (name: string, value: string): string => ` ${name}="${value.replaceAll('"', "&quot;")}"`

const plain = (parts: readonly ChatPart[]): Converted<readonly ChatPart[]> => ({
  value: parts,
  notes: noNotes,
})

function convertImage(
  block: Extract<ContentBlock, { type: "image" }>,
  profile: ProviderProfile,
  path: string,
): Converted<readonly ChatPart[]> {
  const { source } = block
  if (!profile.vision) return omitted("image", "this model cannot see images", path)
  if (source.type === "file") return omitted(`image ${source.file_id}`, noFiles, path)
  if (source.type === "url" && !profile.imageUrls)
    return omitted(`image ${source.url}`, "this provider takes images only as data", path)
  const url = source.type === "url" ? source.url : `data:${source.media_type};base64,${source.data}`
  return plain([{ type: "image_url", image_url: { url: url.toWellFormed() } }])
}

const noFiles = "files of the Files API are not available through this proxy"

/** Content that cannot be sent, as words in its place: the model shall know that something was there. */
function omitted(what: string, why: string, path: string): Converted<readonly ChatPart[]> {
  return { value: [text(`[${what} omitted: ${why}]`)], notes: [changed(path, `left out: ${why}`)] }
}

function convertDocument(
  block: Extract<ContentBlock, { type: "document" }>,
  profile: ProviderProfile,
  path: string,
): Converted<readonly ChatPart[]> {
  const { source, title } = block
  const open = `<document${title === undefined ? "" : attribute("title", title)}>`
  const context = block.context === undefined ? "" : `\n${block.context}`
  switch (source.type) {
    case "text":
      return plain([text(`${open}${context}\n${source.data}\n</document>`)])
    case "content": {
      const inner = convertParts(source.content, profile, `${path}.source.content`)
      return { value: [text(open + context), ...inner.value, text("</document>")], notes: inner.notes }
    }
    case "base64":
      return behind(context, open, convertPdf(source, title, profile, path))
    case "url":
      return behind(context, open, convertDocumentUrl(source.url, title, profile, path))
    case "file":
      return omitted(`document ${title ?? source.file_id}`, noFiles, path)
    default:
      return source satisfies never
  }
}

/** What is said of a document stands before it. */
function behind(
  context: string,
  open: string,
  document: Converted<readonly ChatPart[]>,
): Converted<readonly ChatPart[]> {
  if (context.trim() === "") return document
  return { ...document, value: [text(`${open}${context}\n</document>`), ...document.value] }
}

function convertDocumentUrl(
  given: string,
  title: string | undefined,
  { pdf, documentUrls }: ProviderProfile,
  path: string,
): Converted<readonly ChatPart[]> {
  const url = given.toWellFormed()
  if (pdf === "document_url" || (pdf === "file" && documentUrls))
    return plain([documentPart(pdf, url, fileName(title, "application/pdf"))])
  return omitted(`document ${url}`, "this provider fetches no documents", path)
}

/** Mistral has a form of its own for it (Mistral API reference, document QnA). */
function documentPart(form: "file" | "document_url", url: string, filename: string): ChatPart {
  if (form === "document_url") return { type: "document_url", document_url: url }
  return { type: "file", file: { filename, file_data: url } }
}

function convertPdf(
  { data, media_type }: Extract<MediaSource, { type: "base64" }>,
  title: string | undefined,
  { pdf }: ProviderProfile,
  path: string,
): Converted<readonly ChatPart[]> {
  const url = `data:${media_type};base64,${data}`.toWellFormed()
  if (pdf !== "placeholder") return plain([documentPart(pdf, url, fileName(title, media_type))])
  const size = `${Buffer.byteLength(data, "base64")} bytes`
  return omitted(`PDF document (${title ?? size})`, "this provider takes no documents", path)
}

/** OpenAI goes by the end of the name, and a title has none: "Expected … supported format: .pdf … but got none". */
function fileName(title: string | undefined, mediaType: string): string {
  const name = (title ?? "").trim().toWellFormed()
  if (name === "") return "document.pdf"
  return mediaType !== "application/pdf" || /\.pdf$/i.test(name) ? name : `${name}.pdf`
}

function convertOther(block: JsonObject, path: string): Converted<readonly ChatPart[]> {
  const type = String(block["type"])
  if (type === "container_upload") return omitted(`file ${String(block["file_id"])}`, noFiles, path)
  const summary = type === "compaction" ? textOf(block["content"]) : undefined
  if (summary !== undefined) return plain([text(`<summary>\n${summary}\n</summary>`)])
  // What a browser shows is data: the model reads it as such.
  if (type === "browser_state") return plain([text(JSON.stringify(block))])
  if (type === "image" || type === "document")
    return omitted(type, "it comes from a kind of source unknown here", path)
  return { value: [], notes: [dropped(path, `unknown block type ${type}`)] }
}

/** The text that a block of an assistant message stands for; undefined when it stands for none. */
export function assistantBlockText(block: ContentBlock): string | undefined {
  if (block.type === "text") return block.text
  const said = block.type === "other" ? serverBlockText(block.original) : documentText(block)
  // These blocks stood by themselves: their lines must not run into the words around them.
  return said === undefined ? undefined : `\n${said}\n`
}

/** A document that the assistant is said to have written (anthropic-version 2023-06-01 allows it). */
function documentText(block: ContentBlock): string | undefined {
  if (block.type !== "document") return undefined
  const { source, title } = block
  return source.type === "text" ? source.data : `[document ${title ?? source.type} omitted]`
}

/** Parts as content: one string when all are text (many servers take nothing else), else the parts. */
export function joinParts(parts: readonly ChatPart[]): string | readonly ChatPart[] {
  const only = parts.length === 1 ? parts[0] : undefined
  if (only?.type === "text") return only.text
  const texts: string[] = []
  for (const part of parts) {
    if (part.type !== "text") return parts
    texts.push(part.text)
  }
  return texts.join("\n\n")
}
