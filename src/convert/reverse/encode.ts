// Chunks for OpenAI's clients as text.
import type { ChatOutput } from "./chunks.ts"
import { toChatErrorBody } from "./error.ts"

/** What goes over the wire: `data:` lines without event names. */
export function encodeChat(outputs: readonly ChatOutput[]): string {
  let text = ""
  for (const output of outputs)
    text += output.kind === "run" ? encodeRun(output) : `data: ${dataOf(output)}\n\n`
  return text
}

/** Quotes within a string are escaped: the empty text stands where it seems to. */
function encodeRun({ chunk, field, quoted }: Extract<ChatOutput, { kind: "run" }>): string {
  const key = `"${field}":"`
  const json = JSON.stringify(chunk)
  const at = json.indexOf(`${key}"`) + key.length
  const [head, tail] = [`data: ${json.slice(0, at)}`, `${json.slice(at)}\n\n`]
  return head + quoted.join(tail + head) + tail
}

function dataOf(output: Exclude<ChatOutput, { kind: "run" }>): string {
  switch (output.kind) {
    case "chunk":
      return JSON.stringify(output.chunk)
    case "done":
      return "[DONE]"
    case "error":
      return JSON.stringify(toChatErrorBody(output.fault))
    default:
      return output satisfies never
  }
}
