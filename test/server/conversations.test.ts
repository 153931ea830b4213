// Whole conversations with thinking and tools, against upstreams that refuse reasoning which is lost, changed or
// not their own: with one proxy, with a new one for every turn, and with another model in the middle.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { arrayOf, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { folderWith, removeFolders } from "../config/support.ts"
import { type ClientOptions, createConversationClient } from "../support/conversation-client.ts"
import { environmentFor, type Model, modelsFile, sixTurns } from "../support/conversation-plan.ts"
import { reasoningOf, type Say, type Shape, shapes } from "../support/conversation-shapes.ts"
import {
  type ConversationUpstream,
  createConversationUpstream,
  type UpstreamOptions,
} from "../support/conversation-upstream.ts"
import { cleanUp, startProxy, stopAll, type TestProxy } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const all = Object.entries<Shape>(shapes)
const ways = [
  ["streamed", true],
  ["whole", false],
] as const

interface World {
  readonly upstream: ConversationUpstream
  /** The proxy for the next turn. */
  readonly proxy: () => TestProxy
  /** As `proxy`, but one that knows nothing of what was before. */
  readonly another: () => TestProxy
}

/** An upstream with these shapes, and the proxies in front of it; the id of a model is that of its shape. */
function world(plan: readonly Say[], used: readonly Shape[], options: UpstreamOptions = {}): World {
  const upstream = createConversationUpstream(plan, used, options)
  cleanUp(upstream.server.stop)
  const models = used.map((shape): Model => ({ id: idOf(shape), shape, url: upstream.url }))
  const another = proxies(models)
  const first = another()
  return { upstream, proxy: () => first, another }
}

/** Starts a proxy for these models each time it is called. */
function proxies(models: readonly Model[], more: Readonly<Record<string, string>> = {}): () => TestProxy {
  const file = join(folderWith({ "models.yaml": modelsFile(models) }), "models.yaml")
  const unused = "http://127.0.0.1:9/v1"
  const env = { ...environmentFor(unused, file), ...more }
  return () => startProxy(unused, { env })
}

const idOf = ({ id, model }: Shape): string => `my-${id}-${model}`

/** Holds the conversation to its end, at `next()` for every turn; fails with what was refused. */
async function converse(
  { upstream }: World,
  next: () => TestProxy,
  models: readonly Shape[],
  options: ClientOptions,
): Promise<void> {
  const client = createConversationClient(options)
  for (const model of models) {
    try {
      await client.ask(next().url, idOf(model))
    } catch (error) {
      throw new Error(
        `${JSON.stringify(options.thinking ?? "kept")} ${upstream.refusals().join("\n")}\n${error}`,
      )
    }
  }
  expect(upstream.refusals()).toEqual([])
  expect(upstream.answered()).toBe(models.length)
}

const six = <T>(value: T): readonly T[] => Array.from({ length: 6 }, () => value)

describe.each(ways)("%s: six turns with", (_way, stream) => {
  test.each(all)("%s, at one proxy", async (_name, shape) => {
    const made = world(sixTurns(), [shape])
    await converse(made, made.proxy, six(shape), { stream })
  })

  test.each(all)("%s, at a new proxy for every turn: by the signatures alone", async (_name, shape) => {
    const made = world(sixTurns(), [shape])
    await converse(made, made.another, six(shape), { stream })
  })

  test.each(all)(
    "%s, the client losing all thinking: the proxy remembers it by its calls",
    async (_name, shape) => {
      const made = world(sixTurns(false), [shape])
      await converse(made, made.proxy, six(shape), { stream, thinking: "lost" })
    },
  )

  test.each(all)(
    "%s, all thinking lost and nothing remembered: what stands in is taken",
    async (_name, shape) => {
      const made = world(sixTurns(), [shape], { forgiveLost: true })
      await converse(made, made.another, six(shape), { stream, thinking: "lost" })
    },
  )
})

const pairs = all.flatMap(([first, one]) =>
  all.flatMap(([second, other]) => (first === second ? [] : [[first, second, one, other] as const])),
)

// Every two of the three choices meet in each of their combinations.
const manners = [
  { stream: true, thinking: "kept", renewed: false },
  { stream: true, thinking: "of-this-model", renewed: true },
  { stream: false, thinking: "kept", renewed: true },
  { stream: false, thinking: "of-this-model", renewed: false },
] as const

describe("another model in the middle, and back", () => {
  test.each(pairs)("%s, then %s", async (_first, _second, one, other) => {
    for (const { stream, thinking, renewed } of manners) {
      const made = world(sixTurns(), [one, other])
      const next = renewed ? made.another : made.proxy
      await converse(made, next, [one, one, one, other, other, one], { stream, thinking })
    }
  })
})

// Of the lengths and beginnings that genuine ones have, and data of others in their place.
const genuine = `EqQBCkYIBxgCKkC${"A1b2C3d4".repeat(30)}==`
const thinkingOf = (signature: string) => ({ type: "thinking", thinking: "Claude's own thought.", signature })
const before = [
  { role: "user", content: [{ type: "text", text: "What is here?" }] },
  {
    role: "assistant",
    content: [
      thinkingOf(genuine),
      { type: "redacted_thinking", data: `EmwKAhgBEgy3${"qrst".repeat(40)}==` },
      { type: "text", text: "I look." },
      thinkingOf(`Cr${genuine}`),
      { type: "tool_use", id: "toolu_01AbCdEfGhIjKlMnOpQrStUv", name: "Bash", input: { command: "ls" } },
    ],
  },
  {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: "toolu_01AbCdEfGhIjKlMnOpQrStUv", content: "a b" }],
  },
  { role: "assistant", content: [thinkingOf(`R${genuine}`), { type: "text", text: "Two files." }] },
  { role: "user", content: [{ type: "text", text: "And now?" }] },
  {
    role: "assistant",
    content: [
      thinkingOf(`gAAAAAB${"A1b2".repeat(40)}`),
      thinkingOf("ccp1.broken"),
      thinkingOf(""),
      { type: "redacted_thinking", data: "" },
      { type: "tool_use", id: "call 1: é", name: "Read", input: { file_path: "/a" } },
    ],
  },
]

const secrets = ["A1b2", "qrst", "ccp1", "redacted"]

describe.each(ways)("%s: after a conversation with Claude itself", (_way, stream) => {
  test.each(all)("%s", async (_name, shape) => {
    const made = world(sixTurns(), [shape])
    await converse(made, made.proxy, six(shape), { stream, history: before })
    for (const { text } of made.upstream.server.turns()) {
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
      expect(text).toContain("Two files.")
    }
  })
})

const standIns: readonly unknown[] = [null, "skip_thought_signature_validator"]

/** Is there anything in a message that was thought? */
function hasReasoning(message: JsonObject): boolean {
  const { texts, details, opaque, signatures } = reasoningOf(message)
  return [...texts, ...details, opaque, ...signatures].some((one) => !standIns.includes(one))
}

describe.each(all)("two client keys at one proxy: %s", (_name, shape) => {
  const keys = ["client-key-1", "client-key-2"] as const
  const env = { ALLOWED_API_KEYS: keys.join(",") }

  test("each gets its own reasoning again, though their calls have the same ids", async () => {
    const plans = [sixTurns(false), sixTurns(false).map(asAnother)]
    const upstreams = plans.map((plan) => createConversationUpstream(plan, [shape]))
    const proxy = proxyFor(shape, upstreams, env)
    const clients = keys.map((key) => createConversationClient({ stream: true, key, thinking: "lost" }))
    for (const _turn of plans[0] ?? []) {
      for (const [index, client] of clients.entries()) await client.ask(proxy.url, `side-${index}`)
    }
    expect(upstreams.flatMap(({ refusals }) => refusals())).toEqual([])
    expect(upstreams.map(({ answered }) => answered())).toEqual([6, 6])
  })

  test("who knows the ids of the other's calls does not get its reasoning", async () => {
    const upstream = createConversationUpstream(sixTurns(), [shape], { forgiveLost: true })
    const proxy = proxyFor(shape, [upstream], env)
    const owner = createConversationClient({ stream: true, key: keys[0] })
    await owner.ask(proxy.url, "side-0")
    for (const key of keys) {
      const reader = createConversationClient({
        ...{ stream: true, key, thinking: "lost", history: owner.history() },
      })
      await reader.ask(proxy.url, "side-0")
    }
    const [own, foreign] = upstream.server.turns().slice(1).map(firstAnswer)
    expect([own, foreign].map((turn) => arrayOf(turn?.["tool_calls"]).length)).toEqual([1, 1])
    expect([own, foreign].map((turn) => hasReasoning(turn ?? {}))).toEqual([true, false])
  })
})

/** The same turn with other thoughts. */
function asAnother(say: Say): Say {
  return {
    ...say,
    seed: " of another",
    ...(say.think === undefined ? {} : { think: `Otherwise: ${say.think}` }),
  }
}

const firstAnswer = ({ body }: { readonly body: JsonObject }): JsonObject | undefined =>
  arrayOf(body["messages"])
    .map(objectOf)
    .find(({ role }) => role === "assistant")

/** A proxy with a model for each upstream: side-0, side-1. */
function proxyFor(
  shape: Shape,
  upstreams: readonly ConversationUpstream[],
  env: Readonly<Record<string, string>>,
): TestProxy {
  for (const { server } of upstreams) cleanUp(server.stop)
  const models = upstreams.map(({ url }, index) => ({ id: `side-${index}`, shape, url }))
  return proxies(models, env)()
}
