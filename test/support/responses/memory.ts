// What a strict Responses server makes of a conversation: calls and outputs belong together, and the reasoning it
// gave must stand where it stood, unchanged, and no other.
import { arrayOf, type JsonObject, objectOf, parseJson } from "../../../src/protocol/json.ts"

export interface ReasoningMemory {
  /** The items of a turn as this server gave them. */
  readonly give: (output: readonly JsonObject[]) => void
  /** Why the next request's items would be refused; empty: they are accepted. */
  readonly check: (body: JsonObject) => readonly string[]
}

/** `forgiveLost`: reasoning may be missing altogether, but not be wrong. */
export function createReasoningMemory(forgiveLost = false): ReasoningMemory {
  const turns: (readonly JsonObject[])[] = []

  function check(body: JsonObject): readonly string[] {
    const sent = arrayOf(body["input"]).map(objectOf)
    const given = new Set<unknown>(
      turns.flat().flatMap(({ encrypted_content: value }) => (value === undefined ? [] : [value])),
    )
    const foreign = sent.filter(
      ({ type, encrypted_content: value }) => type === "reasoning" && !given.has(value),
    )
    return [
      ...checkCalls(sent),
      ...foreign.map(() => "The encrypted content could not be verified: it was not given by this model."),
      ...checkFollowers(sent),
      ...turns.flatMap((turn) => checkTurn(turn, sent, forgiveLost)),
      ...turns.flat().flatMap((item) => checkArguments(item, sent)),
    ]
  }

  return { give: (output) => turns.push(output), check }
}

function checkCalls(sent: readonly JsonObject[]): readonly string[] {
  const open = new Set<unknown>()
  const seen = new Set<unknown>()
  const wrong: string[] = []
  for (const { type, call_id: id } of sent) {
    if (type === "function_call") {
      if (seen.has(id)) wrong.push(`call_id ${id} twice`)
      seen.add(id)
      open.add(id)
    }
    if (type === "function_call_output" && !open.delete(id))
      wrong.push(`No tool call found for function call output with call_id ${id}.`)
  }
  return [...wrong, ...[...open].map((id) => `No tool output found for function call ${id}.`)]
}

/** Something of the model's own must come after its reasoning. */
function checkFollowers(sent: readonly JsonObject[]): readonly string[] {
  return sent.flatMap((item, at) => {
    if (item["type"] !== "reasoning") return []
    const next = sent[at + 1]
    const own =
      next?.["type"] === "function_call" || next?.["type"] === "reasoning" || next?.["role"] === "assistant"
    return own ? [] : ["Item of type 'reasoning' was provided without its required following item."]
  })
}

/** A turn's items stand in the input as they were given, one after the other. */
function checkTurn(
  turn: readonly JsonObject[],
  sent: readonly JsonObject[],
  forgiveLost: boolean,
): readonly string[] {
  const keys = turn.map(keyOf)
  const said = keys.filter((key) => !key.startsWith("reasoning"))
  const first = sent.findIndex((item) => keyOf(item) === said[0])
  if (first < 0) return [`a turn is missing: ${said[0]}`]
  const start = first - keys.indexOf(said[0] ?? "")
  const found = sent.slice(Math.max(0, start), start + keys.length).map(keyOf)
  if (Bun.deepEquals(found, keys)) return []
  const kept = sent.slice(first, first + said.length).map(keyOf)
  const lost = sent[first - 1]?.["type"] !== "reasoning" && Bun.deepEquals(kept, said)
  return forgiveLost && lost
    ? []
    : [
        `'${said[0]}' was provided without its required 'reasoning' item, or not in its order: ${found.join(", ")}`,
      ]
}

/** Claude Code adds what its tools take for granted to the arguments, but loses none. */
function checkArguments(
  { type, call_id, arguments: args }: JsonObject,
  sent: readonly JsonObject[],
): readonly string[] {
  const again = sent.find((item) => item["type"] === "function_call" && item["call_id"] === call_id)
  if (type !== "function_call" || again === undefined) return []
  const [before, now] = [args, again["arguments"]].map((text) => {
    const parsed = parseJson(String(text))
    return parsed.ok ? objectOf(parsed.value) : {}
  })
  const lost = Object.entries(before ?? {}).filter(([key, value]) => !Bun.deepEquals(now?.[key], value))
  return lost.map(([key]) => `the argument ${key} of ${call_id} is not what was given`)
}

/** What an item says, by which it is known again. */
function keyOf(item: JsonObject): string {
  const { type, encrypted_content, call_id, name, content } = item
  if (type === "reasoning") return `reasoning ${encrypted_content}`
  if (type === "function_call") return `function_call ${call_id} ${name}`
  const words =
    typeof content === "string"
      ? content
      : arrayOf(content)
          .map((part) => objectOf(part)["text"])
          .join("")
  return `${type} ${item["role"]} ${type === "message" ? words : call_id}`
}
