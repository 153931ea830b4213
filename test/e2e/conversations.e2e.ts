// The conversations of test/server/conversations.test.ts through the program itself, which is started anew for
// every turn: nothing but the client's own history carries the reasoning.
import { afterEach, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { type ClientOptions, createConversationClient } from "../support/conversation-client.ts"
import { environmentFor, modelsFile, sixTurns } from "../support/conversation-plan.ts"
import { type Shape, shapes } from "../support/conversation-shapes.ts"
import { type ConversationUpstream, createConversationUpstream } from "../support/conversation-upstream.ts"
import { startProxy, withFolder } from "../support/proxy.ts"

const upstreams: ConversationUpstream[] = []

afterEach(async () => {
  for (const { server } of upstreams.splice(0)) await server.stop()
})

/** Holds the six turns, each at a process of its own, with these models in turn. */
async function converse(models: readonly Shape[], options: ClientOptions): Promise<void> {
  const used = [...new Set(models)]
  const upstream = createConversationUpstream(sixTurns(), used)
  upstreams.push(upstream)
  const client = createConversationClient(options)
  await withFolder(async (folder) => {
    const file = join(folder, "models.yaml")
    const places = used.map((shape) => ({ id: `my-${shape.model}`, shape, url: upstream.url }))
    await Bun.write(file, modelsFile(places))
    for (const { model } of models) {
      const proxy = await startProxy(environmentFor(upstream.url, file))
      try {
        await client.ask(proxy.url, `my-${model}`)
      } finally {
        await proxy.stop()
      }
    }
  })
  expect(upstream.refusals()).toEqual([])
  expect(upstream.answered()).toBe(6)
}

const all = Object.entries<Shape>(shapes)

describe("a new process for every turn", () => {
  test.each(all)("%s", async (_name, shape) => {
    await converse([shape, shape, shape, shape, shape, shape], { stream: true })
  })

  const { deepseek, kimi, gemini, openrouter } = shapes
  const circle = [deepseek, kimi, gemini, openrouter]
  const pairs = circle.map((one, at) => [one.id, one, circle[(at + 1) % circle.length] ?? one] as const)

  test.each(pairs)("%s, another model for two turns, and back", async (_id, one, other) => {
    await converse([one, one, one, other, other, one], { stream: true, thinking: "of-this-model" })
  })
})
