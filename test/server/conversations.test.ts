// Whole conversations with thinking and tools, against upstreams that refuse reasoning which is lost, changed or
// not their own: with one proxy, with a new one for every turn, and with another model in the middle.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { folderWith, removeFolders } from "../config/support.ts"
import { type ClientOptions, createConversationClient } from "../support/conversation-client.ts"
import { environmentFor, type Model, modelsFile, sixTurns } from "../support/conversation-plan.ts"
import { type Say, type Shape, shapes } from "../support/conversation-shapes.ts"
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
  const env = environmentFor(
    upstream.url,
    join(folderWith({ "models.yaml": modelsFile(models) }), "models.yaml"),
  )
  const another = () => startProxy(upstream.url, { env })
  const first = another()
  return { upstream, proxy: () => first, another }
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

  test.each(all)("%s, the client losing all thinking: the proxy remembers it by its calls", async (_name, shape) => {
    const made = world(sixTurns(false), [shape])
    await converse(made, made.proxy, six(shape), { stream, thinking: "lost" })
  })

  test.each(all)("%s, all thinking lost and nothing remembered: what stands in is taken", async (_name, shape) => {
    const made = world(sixTurns(), [shape], { forgiveLost: true })
    await converse(made, made.another, six(shape), { stream, thinking: "lost" })
  })
})
