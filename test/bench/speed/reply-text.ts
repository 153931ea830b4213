// What the scripted upstream says, word for word, so that each reply can be held against it.
import type { Reply, Voice } from "./work.ts"

/** What must have arrived in the end. */
export interface Expected {
  readonly text: string
  readonly thinking: string
  readonly args: string
  readonly finish: "end_turn" | "tool_use"
}

export const toolName = "write_file"
export const toolId = "call_bench0001"

const pieceLength = 20

/** About twenty characters; one piece in twenty has signs that JSON escapes, one in forty more than ASCII. */
export function pieceAt(index: number): string {
  const number = String(index).padStart(6, "0")
  if (index % 20 === 13) return `${number} a "quote"\n\tnew`
  if (index % 40 === 27) return `${number} → naïve café, `
  return `${number} of these words`.slice(0, pieceLength)
}

const textOf = (chunks: number): string => Array.from({ length: chunks }, (_, at) => pieceAt(at)).join("")

/** Arguments of exactly so many pieces: a file's path and its lines. */
export function argumentPieces(chunks: number): readonly string[] {
  const length = chunks * pieceLength
  let content = Array.from({ length: chunks }, (_, at) => `line ${at} of "file"\n`).join("")
  const json = () => JSON.stringify({ path: "src/main.ts", content })
  while (json().length > length) content = content.slice(0, -1)
  content += "x".repeat(length - json().length)
  const whole = json()
  return Array.from({ length: chunks }, (_, at) => whole.slice(at * pieceLength, (at + 1) * pieceLength))
}

/** The field of a chunk's delta that carries a piece of each kind. */
export function piecesOf(voice: Voice, chunks: number): readonly string[] {
  return voice === "tool" ? argumentPieces(chunks) : Array.from({ length: chunks }, (_, at) => pieceAt(at))
}

export const plainText = 'Hello! How can I help you with "claude-proxy" today?\n'
/** Said after the reasoning. */
export const conclusion = "So much for that."

const sized = /^received (\d+) bytes in \d+ parts; that is all\.$/
const stampPattern = /@(\d{4}) (\d{13}\.\d{3});/g

/** The reply to a request whose size is to be known, in pieces. */
export function sizePieces(bytes: number): readonly string[] {
  return ["received ", `${bytes} bytes`, " in 4 parts; ", "that is all."]
}

/** The size that such a reply names; undefined when it is none. */
export function sizeIn(text: string): number | undefined {
  const found = sized.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** A piece that knows when it was sent: `now` in milliseconds of the machine's clock. */
export function stampedPiece(index: number, now: number): string {
  return `@${String(index).padStart(4, "0")} ${now.toFixed(3).padStart(17, "0")};`
}

export const stampLength = 23

/** How many stamped pieces a text is made of; undefined when it holds anything else, or has them out of order. */
export function stampsIn(text: string): number | undefined {
  let count = 0
  const rest = text.replace(stampPattern, (_, number: string) => {
    return Number(number) === count++ ? "" : "wrong"
  })
  return rest === "" ? count : undefined
}

/** The contents of a reply that is the same each time; undefined: its text has to be read. */
export function expectedOf(reply: Reply): Expected | undefined {
  const nothing = { text: "", thinking: "", args: "", finish: "end_turn" } as const
  if (reply.kind === "plain") return { ...nothing, text: plainText }
  if (reply.kind !== "stream") return undefined
  switch (reply.voice) {
    case "text":
      return { ...nothing, text: textOf(reply.chunks) }
    case "reasoning":
      return { ...nothing, thinking: textOf(reply.chunks), text: conclusion }
    case "tool":
      return { ...nothing, args: argumentPieces(reply.chunks).join(""), finish: "tool_use" }
    default:
      return reply.voice satisfies never
  }
}
