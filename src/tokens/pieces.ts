// A request taken apart for counting: texts still to be counted, and numbers for what is not text.
// Both counters work on these pieces, so they agree on what is counted and differ only in how.

import type { JsonObject } from "../protocol/json.ts"
import type { ContentBlock, DocumentSource, MediaSource } from "../protocol/messages/content-block.ts"
import type { Message, Tool } from "../protocol/messages/messages.ts"
import { encodedTextTokens, imageTokens, pdfTokens } from "./media.ts"

/** What can be counted: a whole request, or one with only tools or a system prompt. */
export interface Countable {
  readonly system?: readonly string[] | undefined
  readonly messages?: readonly Pick<Message, "role" | "content">[] | undefined
  readonly tools?: readonly Tool[] | null | undefined
}

export type Piece = string | number

interface RequestPieces {
  readonly system: readonly Piece[]
  readonly tools: readonly { readonly name: string; readonly pieces: readonly Piece[] }[]
  /** One list a message. */
  readonly messages: readonly (readonly Piece[])[]
}

export interface TokenParts {
  readonly system: number
  readonly tools: readonly { readonly name: string; readonly tokens: number }[]
  readonly messages: number
  readonly total: number
}

/** Role and separators of a message; the definition around a tool; id and wrapping of a call. */
export const perMessage = 3
export const perTool = 8
export const perCall = 8
/** Deeper than any real request; what is deeper still is counted as JSON. */
const maxDepth = 16

/** The data of a picture, a sound or a film, as opposed to a text that happens to be called data. */
const isEncoded = (value: unknown): value is string =>
  typeof value === "string" && value.length > 1000 && !/\s/.test(value.slice(0, 200))

/**
 * A block no schema knows, server tools and their results among them: its JSON. Encrypted fields are for Anthropic's
 * eyes and go to nobody else; data in base64 is no text and costs as much as a picture of unknown size.
 */
function otherPieces(block: JsonObject): readonly Piece[] {
  let media = 0
  const text = jsonText(block, (key, value) => {
    if (key.startsWith("encrypted_")) return undefined
    if (key !== "data" || !isEncoded(value)) return value
    media += imageTokens(value)
    return undefined
  })
  return media === 0 ? [text] : [text, media]
}

/** JSON text of any value; empty for what JSON cannot say (cycles, bigints, functions). */
function jsonText(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  try {
    return JSON.stringify(value, replacer) ?? ""
  } catch {
    return ""
  }
}

const plain = (value: unknown): string => (typeof value === "string" ? value : "")

const imagePieces = (source: MediaSource): readonly Piece[] => [
  imageTokens(source.type === "base64" ? plain(source.data) : undefined),
]

function documentPieces(source: DocumentSource, depth: number): readonly Piece[] {
  switch (source.type) {
    case "text":
      return [plain(source.data)]
    case "content":
      return blockListPieces(source.content, depth)
    case "base64": {
      const data = plain(source.data)
      return [plain(source.media_type).startsWith("text/") ? encodedTextTokens(data) : pdfTokens(data)]
    }
    default:
      // Not here, so its length is unknown: one page.
      return [pdfTokens("")]
  }
}

function blockPieces(block: ContentBlock, depth: number): readonly Piece[] {
  switch (block.type) {
    case "text":
      return [plain(block.text)]
    case "image":
      return imagePieces(block.source)
    case "document":
      return [plain(block.title), plain(block.context), ...documentPieces(block.source, depth + 1)]
    case "search_result":
      return [plain(block.source), plain(block.title), ...blockListPieces(block.content, depth + 1)]
    case "thinking":
      return [plain(block.thinking)]
    case "redacted_thinking":
      return [encodedTextTokens(plain(block.data))]
    case "tool_use":
      return [perCall, plain(block.name), jsonText(block.input)]
    case "tool_result":
      return [perMessage, ...blockListPieces(block.content, depth + 1)]
    case "tool_reference":
      return [perMessage, plain(block.tool_name)]
    default:
      return otherPieces(block.original)
  }
}

function blockListPieces(blocks: readonly ContentBlock[], depth: number): readonly Piece[] {
  if (depth > maxDepth) return [jsonText(blocks)]
  const pieces: Piece[] = []
  for (const block of blocks) {
    for (const piece of safePieces(block, depth)) pieces.push(piece)
  }
  return pieces
}

function safePieces(block: ContentBlock, depth: number): readonly Piece[] {
  try {
    return blockPieces(block, depth)
  } catch {
    // Only a block that no schema has read can get here; its JSON is as good a measure as any.
    return [jsonText(block)]
  }
}

export function toolPieces(tool: Tool): readonly Piece[] {
  const schema = tool.input_schema === undefined ? "" : jsonText(tool.input_schema)
  return [perTool, plain(tool.name), plain(tool.description), schema]
}

export const systemPieces = (system: Countable["system"] = []): readonly Piece[] =>
  system.length === 0 ? [] : [perMessage, ...system]

export const messagePieces = ({ content }: Pick<Message, "content">): readonly Piece[] => [
  perMessage,
  ...blockListPieces(content, 0),
]

/** Takes a request apart; never throws, whatever its blocks hold. */
export function piecesOf({ system, tools, messages }: Countable): RequestPieces {
  return {
    system: systemPieces(system),
    tools: (tools ?? []).map((tool) => ({ name: tool.name, pieces: toolPieces(tool) })),
    messages: (messages ?? []).map(messagePieces),
  }
}

/** The same pieces one part after the other, each taken apart when it is asked for. */
export function* piecesInTurn({ system, tools, messages }: Countable): Generator<readonly Piece[], void> {
  yield systemPieces(system)
  for (const tool of tools ?? []) yield toolPieces(tool)
  for (const message of messages ?? []) yield messagePieces(message)
}

/** Adds the parts up. */
export function partsOf(system: number, tools: TokenParts["tools"], messages: number): TokenParts {
  const total = tools.reduce((sum, tool) => sum + tool.tokens, system + messages)
  return { system, tools, messages, total }
}
