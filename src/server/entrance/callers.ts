// Who sends a request: its session and its agent as Claude Code names them, and which client key it came with.
import type { Config } from "../../config/config.ts"
import type { Caller } from "../../observe/exchange.ts"
import { redact } from "../../protocol/redact.ts"
import { sentAgent, sentSession } from "../common/client-headers.ts"
import { hash, sentKeys } from "./gate.ts"

/** `session` is what else the request says of its conversation, where no header names it. */
export type Callers = (headers: Headers, session?: string) => Caller

// Claude Code's are 36 and 16 characters long.
const longestName = 64
// Redacted before it is cut: half a key is no longer recognised.
const longestRead = 1_000

/** For one configuration: the label of a client key is its place among them, and nothing of the key. */
export function createCallers({ clientKeys, secrets }: Pick<Config, "clientKeys" | "secrets">): Callers {
  const hashes = clientKeys.map(hash)

  function indexOf(given: readonly ReturnType<typeof hash>[]): number {
    return hashes.findIndex((known) => given.some((one) => crypto.timingSafeEqual(one, known)))
  }

  function labelOf(headers: Headers): string | undefined {
    const index = hashes.length === 0 ? -1 : indexOf(sentKeys(headers).map(({ key }) => hash(key)))
    return index < 0 ? undefined : `key-${index + 1}`
  }

  /** A client can write anything into a header: no secret and no control character goes any further. */
  function nameOf(text: string | undefined): string | undefined {
    if (!text) return undefined
    // A copy: a part of a text keeps the whole of it in memory, and these names are kept for long.
    const near = text.length > longestRead ? Buffer.from(text.slice(0, longestRead)).toString() : text
    const clean = redact(near, secrets)
      .replace(/[^ -~]/g, "")
      .trim()
      .slice(0, longestName)
    return clean === "" ? undefined : clean
  }

  return (headers, session) => ({
    session: nameOf(sentSession(headers) ?? session),
    agent: nameOf(sentAgent(headers)),
    client: labelOf(headers),
  })
}
