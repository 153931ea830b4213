// What the numbered cases share: every provider as a target, its strict server as a judge, and replies said in
// few words.
import { expect } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { arrayOf, type JsonObject, objectOf, parseJson, textOf } from "../../src/protocol/json.ts"
import type { MessagesEvent, ReplyBlock } from "../../src/protocol/messages/messages.ts"
import { convert, type Target } from "../convert/request-support.ts"
import { checkGrammar } from "../support/grammar.ts"
import { findLeaks } from "../support/strict/leaks.ts"
import { strictProvider, strictProviders } from "../support/strict/providers.ts"

/** Every provider that speaks Chat Completions, with each of its models whose rules differ. */
export const everyTarget: readonly Target[] = strictProviders.flatMap(({ id, models }) =>
  models.map((model): Target => [id, model]),
)

/** The request's body as the provider reads it: what is undefined does not travel. */
export function sent(raw: unknown, target?: Target): JsonObject {
  const parsed = parseJson(JSON.stringify(convert(raw, target).body))
  return objectOf(parsed.ok ? parsed.value : undefined)
}

/** The messages of such a body. */
export const sentMessages = (raw: unknown, target?: Target): readonly JsonObject[] =>
  arrayOf(sent(raw, target)["messages"]).map(objectOf)

export const rolesOf = (messages: readonly JsonObject[]) => messages.map(({ role }) => String(role))

/** A message's text, in whichever form it is sent. */
export function plainText(message: JsonObject | undefined): string {
  const content = message?.["content"]
  return (
    textOf(content) ??
    arrayOf(content)
      .map((part) => textOf(objectOf(part)["text"]) ?? "")
      .join("\n\n")
  )
}

/** Why each provider's own server would refuse the request, and what should have stayed here. */
export function refusals(raw: JsonObject, targets = everyTarget): readonly string[] {
  return targets.flatMap(([provider, model]) => {
    const body = sent({ ...raw, stream: true }, [provider, model])
    const reasons = [...strictProvider(provider).check(body, model), ...findLeaks(body)]
    return reasons.map((reason) => `${provider} ${model}: ${reason}`)
  })
}

/** A function that lists the targets for which `check` does not hold. */
export function failing(check: (target: Target) => boolean, targets = everyTarget): readonly string[] {
  return targets.filter((target) => !check(target)).map((target) => target.join(" "))
}

/** A block in few words: `text: Hi`, `thinking: Hm.`, `Read {"a":1}`. */
export function shortBlock(block: ReplyBlock | JsonObject): string {
  const { type, name, input, text, thinking } = objectOf(block)
  if (type === "tool_use") return `${String(name)} ${JSON.stringify(input)}`
  return type === "text" || type === "thinking"
    ? `${type}: ${textOf(text) ?? textOf(thinking) ?? ""}`
    : String(type)
}

/** The blocks a client makes of these events, which have to keep the grammar of a stream. */
export function blocksOf(events: readonly MessagesEvent[]): readonly string[] {
  expect(checkGrammar(events)).toEqual([])
  const { reply, fault } = foldEvents(events)
  return reply === undefined ? [`error: ${fault?.message}`] : reply.content.map(shortBlock)
}

/** The content of a whole reply as JSON, in few words. */
export const contentOf = (reply: JsonObject): readonly string[] =>
  arrayOf(reply["content"]).map((block) => shortBlock(objectOf(block)))

/** What a client makes of the parsed events of a stream that it read over HTTP. */
export function foldParsed(events: readonly JsonObject[]): JsonObject {
  expect(checkGrammar(events)).toEqual([])
  const start = objectOf(events[0]?.["message"])
  const end = events.findLast((event) => event["type"] === "message_delta")
  const blocks = events.flatMap((event) =>
    event["type"] === "content_block_start" ? [foldBlock(event, events)] : [],
  )
  return { ...start, ...objectOf(end?.["delta"]), usage: end?.["usage"], content: blocks }
}

function foldBlock(start: JsonObject, events: readonly JsonObject[]): JsonObject {
  const block = objectOf(start["content_block"])
  const deltas = events
    .filter((event) => event["type"] === "content_block_delta" && event["index"] === start["index"])
    .map((event) => objectOf(event["delta"]))
  const join = (field: string) => deltas.map((delta) => textOf(delta[field]) ?? "").join("")
  if (block["type"] === "text") return { ...block, text: join("text") }
  if (block["type"] === "thinking")
    return { ...block, thinking: join("thinking"), signature: join("signature") }
  if (block["type"] === "compaction") return { ...block, content: join("content") }
  if (!String(block["type"]).endsWith("tool_use")) return block
  const args = join("partial_json")
  const parsed = parseJson(args === "" ? "{}" : args)
  return { ...block, input: parsed.ok ? parsed.value : args }
}
