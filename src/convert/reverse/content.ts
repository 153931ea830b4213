// Content parts of a Chat Completions message as Anthropic's blocks. What has no block leaves a short text in
// its place, so that the model knows that something was there.
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"

/** Blocks of the Messages API, and what was lost on the way. */
interface Blocks {
  readonly blocks: readonly JsonObject[]
  readonly notes: readonly Note[]
}

const none: Blocks = { blocks: [], notes: [] }

const textBlock = (text: string): JsonObject => ({ type: "text", text })

const plain = (...blocks: readonly JsonObject[]): Blocks => ({ blocks, notes: [] })

/** A string or a list of parts; empty texts fall out, as Anthropic refuses them. `path` is the content's own. */
export function convertContent(content: unknown, path: string): Blocks {
  if (typeof content === "string") return convertText(content)
  const blocks: JsonObject[] = []
  const notes: Note[] = []
  for (const [place, part] of arrayOf(content).entries()) {
    const converted = typeof part === "string" ? convertText(part) : convertPart(part, `${path}.${place}`)
    for (const block of converted.blocks) blocks.push(block)
    for (const note of converted.notes) notes.push(note)
  }
  return { blocks, notes }
}

function convertText(text: string): Blocks {
  return text === "" ? none : plain(textBlock(text))
}

function convertPart(part: unknown, path: string): Blocks {
  if (!isObject(part)) return none
  switch (part["type"]) {
    case "text":
      return convertText(textOf(part["text"]) ?? "")
    case "refusal":
      return convertText(textOf(part["refusal"]) ?? "")
    case "image_url":
      return convertImage(part["image_url"], path)
    case "file":
      return convertFile(objectOf(part["file"]), path)
    case "input_audio":
      return omitted("audio", "the Messages API takes no audio", path)
    case "video_url":
      return omitted("video", "the Messages API takes no video", path)
    default:
      return { blocks: [], notes: [dropped(path, `unknown part type ${String(part["type"])}`)] }
  }
}

function omitted(what: string, why: string, path: string): Blocks {
  return { blocks: [textBlock(`[${what} omitted: ${why}]`)], notes: [changed(path, `left out: ${why}`)] }
}

interface DataUrl {
  readonly mediaType: string
  readonly data: string
}

/** `data:MEDIA/TYPE;base64,DATA`, or undefined for anything else. Looks at the head alone: the data is long. */
function readDataUrl(url: string): DataUrl | undefined {
  const comma = url.indexOf(",")
  if (comma < 0 || !/^data:/i.test(url)) return undefined
  const head = url.slice("data:".length, comma)
  if (!/;\s*base64\s*$/i.test(head)) return undefined
  return { mediaType: (head.split(";")[0] ?? "").trim().toLowerCase(), data: url.slice(comma + 1) }
}

const base64 = ({ mediaType, data }: DataUrl) => ({ type: "base64", media_type: mediaType, data }) as const

function convertImage(value: unknown, path: string): Blocks {
  const url = textOf(value) ?? textOf(objectOf(value)["url"]) ?? ""
  const detail = textOf(objectOf(value)["detail"])
  const why = "the Messages API has no degrees of detail"
  const notes = detail === undefined || detail === "auto" ? [] : [dropped(`${path}.image_url.detail`, why)]
  if (/^https?:\/\//i.test(url)) return { blocks: [{ type: "image", source: { type: "url", url } }], notes }
  const data = readDataUrl(url)
  if (data !== undefined) return { blocks: [{ type: "image", source: base64(data) }], notes }
  return omitted("image", "its URL is neither http(s) nor base64 data", path)
}

/** OpenAI's file part: a data URL, bare base64 with a file name, or the id of an uploaded file. */
function convertFile(file: JsonObject, path: string): Blocks {
  const title = textOf(file["filename"])
  const named = title === undefined ? {} : { title }
  const id = textOf(file["file_id"])
  const given = textOf(file["file_data"])
  if (given === undefined) {
    if (id === undefined) return omitted("file", "it holds neither file_data nor file_id", path)
    return plain({ type: "document", source: { type: "file", file_id: id }, ...named })
  }
  const data = readDataUrl(given) ?? { mediaType: guessType(title, given), data: given }
  if (data.mediaType === "application/pdf") return plain({ type: "document", source: base64(data), ...named })
  if (data.mediaType.startsWith("image/")) return plain({ type: "image", source: base64(data) })
  const text = data.mediaType.startsWith("text/") ? decodeText(data.data) : undefined
  if (text !== undefined) {
    const source = { type: "text", media_type: "text/plain", data: text }
    return plain({ type: "document", source, ...named })
  }
  const name = title === undefined ? "file" : `file ${title}`
  return omitted(name, `the Messages API takes no ${data.mediaType || "unknown type"}`, path)
}

/** Every PDF begins with `%PDF-`, which is `JVBERi` in base64. */
function guessType(title: string | undefined, data: string): string {
  if (data.startsWith("JVBERi") || /\.pdf$/i.test(title ?? "")) return "application/pdf"
  return /\.(txt|md|csv)$/i.test(title ?? "") ? "text/plain" : ""
}

function decodeText(data: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(data))
  } catch {
    return undefined
  }
}
