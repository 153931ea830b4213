// The count of a prompt whose vocabulary cannot be read.
import { afterAll, expect, test } from "bun:test"
import { MessagesRequest } from "../../src/protocol/messages/messages.ts"
import { promptTokens } from "../../src/server/endpoints/count-tokens.ts"
import { createRatios } from "../../src/server/learned/ratios.ts"
import { askFor } from "../../src/server/request/asked.ts"
import { configFrom, removeFolders } from "../config/support.ts"

afterAll(removeFolders)

test("is the estimate, corrected by what the model was seen to count", async () => {
  const body = {
    model: "opus",
    max_tokens: 9,
    messages: [{ role: "user", content: "some words to count ".repeat(50) }],
  }
  const config = configFrom({ OPENAI_API_KEY: "sk-upstream-0123456789", BIG_MODEL: "gpt-4o" })
  const asked = askFor(body, config)
  if (!asked.resolved.ok) throw new Error("no route")
  const { route } = asked.resolved
  const correct = (to: { readonly model: string }, estimate: number) =>
    to.model === route.model ? estimate + 500 : estimate
  const ratios = { ...createRatios({ log: { debug: () => {} } }), correct }
  const broken = () => Promise.reject(new Error("no vocabulary"))
  const warnings: string[] = []
  const log = {
    ...{ error: () => {}, info: () => {}, debug: () => {} },
    warn: (text: string) => warnings.push(text),
  }
  const context = { ratios, counter: { count: broken, sum: broken }, log }
  expect(await promptTokens(asked, MessagesRequest.parse(body), context)).toBe(asked.tokens() + 500)
  expect(warnings).toEqual(["the prompt could not be counted, and is estimated"])
})
