// Holds every reply against what the upstream was told to say. A body is read once; the next one that has the same
// bytes, but for the event that names the message, is right for the same reason, and costs next to nothing.
import { parseJson } from "../../../src/protocol/json.ts"
import { type Content, readContent } from "./reply-content.ts"
import { type Expected, expectedOf, sizeIn, stampsIn } from "./reply-text.ts"
import type { Dialect, Reply } from "./work.ts"

/** What is wrong with a reply's body; undefined: nothing. `sent` is the size of the request's body. */
export type Checker = (body: Buffer) => string | undefined

// Texts of known replies that are kept: writes may fall together in a few ways, and pings between them.
const mostKnown = 4
const blankLine = Buffer.from("\n\n")

export function createChecker(reply: Reply, dialect: Dialect, sent: number): Checker {
  const expected = expectedOf(reply)
  const streamed = reply.kind !== "plain"
  const varies = dialect === "messages" || expected === undefined
  const known: Buffer[] = []

  function read(body: Buffer): string | undefined {
    try {
      const content = readContent(dialect, streamed, body.toString())
      return expected === undefined ? readLoose(content, reply, sent) : compare(content, expected)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  return (body) => {
    const from = varies && streamed ? body.indexOf(blankLine) + blankLine.length : 0
    const rest = body.subarray(from)
    if (expected !== undefined && known.some((one) => one.equals(rest)))
      return from === 0 ? undefined : startProblem(body.toString("utf8", 0, from))
    const problem = read(body)
    if (problem === undefined && expected !== undefined && known.length < mostKnown)
      known.push(Buffer.from(rest))
    return problem
  }
}

const startMark = "event: message_start\ndata: "

/** The one event that differs from reply to reply. */
function startProblem(event: string): string | undefined {
  if (event.startsWith(startMark) && parseJson(event.slice(startMark.length)).ok) return undefined
  return `not a message_start: ${event.slice(0, 80)}`
}

function compare(content: Content, expected: Expected): string | undefined {
  for (const field of ["text", "thinking", "args", "finish"] as const) {
    if (content[field] !== expected[field]) return difference(field, content[field], expected[field])
  }
  return undefined
}

function difference(field: string, given: string, wanted: string): string {
  let at = 0
  while (at < given.length && given[at] === wanted[at]) at++
  const found = JSON.stringify(given.slice(at, at + 30))
  return `${field}: ${given.length} characters instead of ${wanted.length}, ${found} at ${at} instead of ${JSON.stringify(wanted.slice(at, at + 30))}`
}

// A conversion changes how long a request is, but not by much.
const [least, most] = [0.7, 1.5]

/** The replies whose text depends on their request or on the time. */
function readLoose({ text, finish }: Content, reply: Reply, sent: number): string | undefined {
  if (finish !== "end_turn") return `it ended with ${finish}`
  if (reply.kind === "slow") {
    const stamps = stampsIn(text)
    return stamps === reply.chunks ? undefined : `${stamps ?? "not only"} pieces instead of ${reply.chunks}`
  }
  const size = sizeIn(text)
  if (size === undefined) return `text: ${JSON.stringify(text.slice(0, 80))}`
  return size >= sent * least && size <= sent * most ? undefined : `${size} bytes of ${sent} went upstream`
}
