// An upstream that holds a conversation in a provider's own shape, and is as strict as that provider's server:
// a request that has lost its reasoning, changed it or brings some of another model is refused.
import { arrayOf, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import { chatReply, deltaChunk, finishChunk, roleChunk, usageChunk } from "./chunks.ts"
import { reasoningOf, type Said, type Say, type Shape } from "./conversation-shapes.ts"
import type { Turn } from "./script.ts"
import { createStrictConversation } from "./strict/conversation.ts"
import { findLeaks } from "./strict/leaks.ts"
import { refusal } from "./strict/refusal.ts"
import { createUpstream, type ScriptedUpstream } from "./upstream.ts"

export interface ConversationUpstream {
  readonly url: string
  readonly server: ScriptedUpstream
  /** Why requests were refused; empty: none was. */
  readonly refusals: () => readonly string[]
  /** Turns that were answered. */
  readonly answered: () => number
}

export interface UpstreamOptions {
  /** Reasoning that is lost may be made up for by the provider's stand-in; else it must be there, and exact. */
  readonly forgiveLost?: boolean
}

/** Plays `plan`, one turn for each request; the request's model says in whose shape and by whose rules. */
export function createConversationUpstream(
  plan: readonly Say[],
  shapes: readonly Shape[],
  options: UpstreamOptions = {},
): ConversationUpstream {
  const sides = new Map(shapes.map((shape) => [shape.model, createSide(shape, options)]))
  const refusals: string[] = []
  let turn = 0

  function answer(body: JsonObject): Turn {
    const side = sides.get(String(body["model"]))
    const say = plan[turn]
    if (side === undefined) return refuse("", [`no model ${body["model"]}`])
    const reasons = side.check(body)
    if (reasons.length > 0) return refuse(side.shape.id, reasons)
    if (say === undefined) return refuse(side.shape.id, [`the plan has no turn ${turn}`])
    const said = side.answer(say, turn)
    turn += 1
    return reply(said, say, side.shape, body["stream"] === true)
  }

  function refuse(id: string, reasons: readonly string[]): Turn {
    refusals.push(...reasons.map((reason) => `turn ${turn}: ${id} ${reason}`))
    const { status, body } = refusal(id, reasons)
    return { kind: "json", status, body }
  }

  const server = createUpstream(answer)
  return { url: server.url, server, refusals: () => refusals, answered: () => turn }
}

function reply({ message, deltas }: Said, say: Say, shape: Shape, stream: boolean): Turn {
  const reason = (say.calls ?? []).length > 0 ? shape.callsEnd : "stop"
  if (!stream) return { kind: "json", body: chatReply(message, reason) }
  const chunks = [roleChunk(), ...deltas.map((delta) => deltaChunk(delta))]
  return { kind: "stream", chunks: [...chunks, finishChunk(reason), usageChunk(100, 20)] }
}

/** One provider's half of the conversation: what it has said, and what it therefore expects to hear again. */
function createSide(shape: Shape, { forgiveLost = false }: UpstreamOptions) {
  const takeForeignText = shape.takesForeignText
  const strict = createStrictConversation(shape.id, { forgiveLost, takeForeignText })
  const given: JsonObject[] = []

  function check(body: JsonObject): readonly string[] {
    const sent = arrayOf(body["messages"]).map(objectOf)
    const exact = forgiveLost ? [] : given.flatMap((message) => checkExact(message, sent, shape))
    return [...strict.check(body), ...exact, ...findLeaks(body)]
  }

  function answer(say: Say, turn: number): Said {
    const said = shape.say(say, turn)
    strict.expectReply(said.message)
    given.push(said.message)
    return said
  }

  return { shape, check, answer }
}

/** What was given in a turn stands in it again, and nothing else of the kind. */
function checkExact(given: JsonObject, sent: readonly JsonObject[], shape: Shape): readonly string[] {
  const again = sent.find((message) => message["role"] === "assistant" && keyOf(message) === keyOf(given))
  if (again === undefined) return [`a turn is missing: ${keyOf(given)}`]
  if (shape.wants === "tool-turns" && given["tool_calls"] === undefined) return []
  if (Bun.deepEquals(reasoningOf(again), reasoningOf(given))) return []
  const [before, now] = [given, again].map((message) => JSON.stringify(reasoningOf(message)))
  return [`reasoning of ${keyOf(given)}: given ${before}, came back ${now}`]
}

/** Text and calls of a message, by which a turn is known again. */
function keyOf(message: JsonObject): string {
  const { content } = message
  const parts = arrayOf(content).map((part) => String(objectOf(part)["text"] ?? ""))
  const calls = arrayOf(message["tool_calls"]).map((call) => {
    const { name, arguments: args } = objectOf(objectOf(call)["function"])
    const parsed = parseJson(String(args))
    return `${name} ${JSON.stringify(parsed.ok ? parsed.value : args)}`
  })
  return [typeof content === "string" ? content : parts.join(""), ...calls].join(" | ")
}
