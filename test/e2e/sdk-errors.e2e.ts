// The Anthropic TypeScript SDK as a client of `serve`: refusals, cut streams, leaving early, keys.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import { roleChunk, textChunk } from "../support/chunks.ts"
import type { Environment } from "../support/proxy.ts"
import type { Turn } from "../support/script.ts"
import { failureOf, question, setUp, stopAll } from "./sdk-setup.ts"
import { anyTextTurn } from "./session.ts"

setDefaultTimeout(30_000)
afterEach(stopAll)

test("a client that leaves in mid-stream, or before the first byte, ends the upstream request", async () => {
  const { client, upstream } = await setUp([
    { kind: "stream", chunks: [roleChunk(), textChunk("Well"), { pauseMs: 60_000 }] },
    { kind: "stall" },
  ])
  const stream = client.messages.stream(question)
  await new Promise<void>((resolve) => stream.once("text", () => resolve()))
  stream.abort()
  expect(await failureOf(stream.finalMessage())).toBeInstanceOf(Anthropic.APIUserAbortError)
  await upstream.until(() => upstream.turns()[0]?.cancelledAt !== undefined, 1000)

  const controller = new AbortController()
  const answer = client.messages.create(question, { signal: controller.signal })
  await upstream.until(() => upstream.turns().length === 2)
  controller.abort()
  expect(await failureOf(answer)).toBeInstanceOf(Anthropic.APIUserAbortError)
  await upstream.until(() => upstream.turns()[1]?.cancelledAt !== undefined, 1000)
})

const refusals = [
  [400, {}, 400, Anthropic.BadRequestError, "invalid_request_error"],
  [401, {}, 401, Anthropic.AuthenticationError, "authentication_error"],
  [402, {}, 402, Anthropic.PaymentRequiredError, "billing_error"],
  [403, {}, 403, Anthropic.PermissionDeniedError, "permission_error"],
  [404, { code: "model_not_found" }, 404, Anthropic.NotFoundError, "not_found_error"],
  [413, {}, 413, Anthropic.ContentTooLargeError, "request_too_large"],
  [429, {}, 429, Anthropic.RateLimitError, "rate_limit_error"],
  [500, {}, 500, Anthropic.InternalServerError, "api_error"],
  [503, {}, 529, Anthropic.OverloadedError, "overloaded_error"],
] as const

test("each refusal of the upstream has its class, plain and streamed", async () => {
  let turn: Turn = { kind: "stall" }
  const { client } = await setUp(() => turn)
  for (const [status, more, expected, errorClass, type] of refusals) {
    const error = { message: `This is why: ${status} scripted-model.`, type: "some_error", ...more }
    const headers = status === 429 ? { "retry-after": "7" } : {}
    turn = { kind: "json", status, body: { error }, headers }
    for (const ask of [
      () => client.messages.create(question),
      () => client.messages.stream(question).finalMessage(),
    ]) {
      const caught = await failureOf(ask())
      expect(caught).toBeInstanceOf(errorClass)
      if (!(caught instanceof Anthropic.APIError)) throw new Error("not an APIError")
      expect([caught.status, caught.type]).toEqual([expected, type])
      expect(caught.message).toContain(status === 404 ? "scripted-model" : `This is why: ${status}`)
      expect(caught.requestID).toStartWith("req_")
      if (status === 429) expect(caught.headers?.get("retry-after")).toBe("7")
    }
  }
})

test("a cut upstream is an error, never a finished answer", async () => {
  const chunks = [roleChunk(), textChunk("Half an ans")]
  const { client } = await setUp([
    { kind: "stream", chunks, cut: "clean" },
    { kind: "stream", chunks, cut: "reset" },
  ])
  for (const _cut of ["clean", "reset"]) {
    expect(await failureOf(client.messages.stream(question).finalMessage())).toBeInstanceOf(
      Anthropic.APIError,
    )
  }
})

test("client keys: as Bearer, as x-api-key, wrong, or none", async () => {
  const { proxy, client } = await setUp((body) => anyTextTurn(body, "Hello."), {
    ALLOWED_API_KEYS: "key-a,key-b",
  })
  const mine = client.withOptions({ apiKey: "key-b" })
  expect((await mine.messages.create(question)).content).toMatchObject([{ text: "Hello." }])
  expect(await failureOf(client.messages.create(question))).toBeInstanceOf(Anthropic.AuthenticationError)
  const post = (headers: Environment) =>
    fetch(`${proxy.url}/v1/messages`, { method: "POST", body: JSON.stringify(question), headers })
  expect((await post({ "x-api-key": "key-a" })).status).toBe(200)
  expect((await post({ authorization: "Bearer key-a", "x-api-key": "key-a" })).status).toBe(200)
  for (const headers of [{ "x-api-key": "key-c" }, { authorization: "Bearer key-c" }, {}]) {
    const refused = await post(headers)
    expect([refused.status, refused.headers.get("x-should-retry")]).toEqual([401, "false"])
    expect(await refused.text()).not.toContain("key-c")
  }
})
