// What the scripted model does with the real CLI: it decides from the conversation it is sent, as a model does.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import {
  chatReply,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"

export function messagesOf(body: JsonObject): readonly JsonObject[] {
  return arrayOf(body["messages"]).filter(isObject)
}

export function callsOf(message: JsonObject): readonly JsonObject[] {
  return arrayOf(message["tool_calls"]).filter(isObject)
}

/** The contents of all tool messages, in order. */
export function toolResults(body: JsonObject): readonly string[] {
  return messagesOf(body)
    .filter((message) => message["role"] === "tool")
    .map((message) => String(message["content"]))
}

/** How many turns with tool calls are behind us. */
function stage(body: JsonObject): number {
  return messagesOf(body).filter((message) => callsOf(message).length > 0).length
}

/** A streamed answer in words. */
export function textTurn(...words: readonly string[]): Turn {
  const chunks = [roleChunk(), ...words.map(textChunk), finishChunk("stop"), usageChunk(1500, 20, 1000)]
  return { kind: "stream", chunks }
}

/** The same words, streamed or whole as the request wants it. */
export function anyTextTurn(body: JsonObject, words: string): Turn {
  return body["stream"] === true ? textTurn(words) : { kind: "json", body: chatReply({ content: words }) }
}

function toolTurn(...chunks: readonly JsonObject[]): Turn {
  return {
    kind: "stream",
    chunks: [roleChunk(), ...chunks, finishChunk("tool_calls"), usageChunk(1200, 40, 1000)],
  }
}

/** One fragment of each list in turn, as providers stream parallel calls. */
function alternate(...lists: readonly (readonly JsonObject[])[]): readonly JsonObject[] {
  const longest = Math.max(...lists.map((list) => list.length))
  return Array.from({ length: longest }, (_, index) =>
    lists.flatMap((list) => list.slice(index, index + 1)),
  ).flat()
}

/**
 * Writes notes.txt in `folder`, prints it, reads and counts it in two calls at once, edits it, and reports.
 * Every turn numbers its calls from call_0 again, as some providers do.
 */
export function fileSession(folder: string): (body: JsonObject) => Turn {
  const file = `${folder}/notes.txt`
  const turns: readonly Turn[] = [
    toolTurn(
      reasoningChunk("First the file, "),
      reasoningChunk("then the shell."),
      textChunk("I write "),
      textChunk("the file."),
      ...toolChunks(0, "call_0", "Write", { file_path: file, content: "alpha\nbeta — 漢\n" }),
    ),
    toolTurn(...toolChunks(0, "call_0", "Bash", { command: "cat notes.txt", description: "Print the file" })),
    toolTurn(
      textChunk("Both at once."),
      ...alternate(
        toolChunks(0, "call_0", "Read", { file_path: file }),
        toolChunks(1, "call_1", "Bash", { command: "wc -l < notes.txt", description: "Count its lines" }, 3),
      ),
    ),
    toolTurn(
      ...toolChunks(0, "call_0", "Edit", { file_path: file, old_string: "beta", new_string: "gamma" }),
    ),
  ]
  return (body) => turns[stage(body)] ?? textTurn("All ", "done.")
}

/** What is wrong with the conversation of one upstream request, by the rules of Chat Completions. */
export function checkConversation(body: JsonObject): readonly string[] {
  const wrong: string[] = []
  const seen = new Set<string>()
  let open = new Set<string>()
  for (const [index, message] of messagesOf(body).entries()) {
    const { role, id } = { role: message["role"], id: String(message["tool_call_id"]) }
    if ((role === "system" || role === "developer") && index > 0)
      wrong.push(`${index}: a late system message`)
    if (role === "tool" && !open.delete(id)) wrong.push(`${index}: a result without its call: ${id}`)
    if (role !== "tool" && open.size > 0) wrong.push(`${index}: calls without results: ${[...open]}`)
    if (role === "assistant") open = new Set(callsOf(message).map((call) => String(call["id"])))
    for (const call of callsOf(message)) {
      const callId = String(call["id"])
      if (seen.has(callId)) wrong.push(`${index}: id ${callId} twice`)
      seen.add(callId)
      if (!isJson(objectOf(call["function"])["arguments"])) wrong.push(`${index}: arguments are not JSON`)
    }
  }
  if (open.size > 0) wrong.push(`at the end: calls without results: ${[...open]}`)
  return wrong
}

function isJson(text: unknown): boolean {
  try {
    return typeof JSON.parse(String(text)) === "object"
  } catch {
    return false
  }
}
