// Errors in every provider's own body and wording: what the client hears of each, and what it never hears.
import { describe, expect, test } from "bun:test"
import { faultFromError } from "../../src/protocol/errors/upstream-error.ts"
import type { Fault } from "../../src/protocol/fault.ts"
import { arrayOf, countOf, objectOf, textOf } from "../../src/protocol/json.ts"
import { providers } from "../../src/providers/table.ts"
import { errorContext, listFixtures, readFixture } from "../support/fixtures.ts"

interface Played {
  readonly status: number
  readonly type: string
  readonly message: string
  readonly retry: boolean
  readonly final: boolean
  readonly retryAfterMs?: number
}

const names = listFixtures("errors")

/** The fault that a fixture becomes. */
function faultOf(name: string): Fault {
  const { provider, model, status, headers, body, context, secrets } = readFixture("errors", name)
  const { inputTokens, contextWindow } = objectOf(context)
  const about = {
    ...errorContext,
    provider: String(provider),
    model: textOf(model) ?? errorContext.model,
    inputTokens: () => countOf(inputTokens) ?? 100,
    contextWindow: countOf(contextWindow) ?? null,
    secrets: arrayOf(secrets).map(String),
  }
  const error = {
    status: countOf(status),
    header: (wanted: string) => textOf(objectOf(headers)[wanted]) ?? null,
    body: typeof body === "string" ? body : JSON.stringify(body),
  }
  return faultFromError(error, about)
}

/** Its facts. */
function playError(name: string): Played {
  const fault = faultOf(name)
  expect(fault.source).toBe("upstream")
  return {
    status: fault.status,
    type: fault.kind,
    message: fault.message,
    retry: fault.retry !== "no",
    final: fault.finalForClient === true,
    ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
  }
}

describe("exact facts", () => {
  test.each(names)("%s", (name) => {
    const { expected, provider } = readFixture("errors", name)
    expect(String(provider)).toBe(name.split("/")[0] ?? "")
    expect<unknown>(playError(name)).toEqual(expected)
  })
})

// Every known form of key, and the ones that a fixture says are configured.
const keyShapes =
  /\b(?:sk-[\w-]{12,}|(?:gsk|xai|tgp|fw|csk|ak|hf)[-_]\w{16,}|AIza[\w-]{20,}|[\da-f]{16}\b(?=[^\w]*$))/

test.each([
  ["generic/relay-channel", "once"],
  ["generic/one-api-channel", "once"],
  ["generic/cloudflare-html", "before-first-byte"],
])("%s: tried again %s", (name, retry) => {
  expect<string>(faultOf(name).retry).toBe(retry)
})

describe("secrets", () => {
  test("no message of any fixture holds what looks like a key", () => {
    for (const name of names) {
      expect([name, playError(name).message]).toEqual([name, expect.not.stringMatching(keyShapes)])
    }
  })

  test.each([
    ["gemini/key-echoed", "AIzaSyD-1234567890abcdefghijklmnopqrstu"],
    ["xai/key-echoed", "xai-AbCdEfGhIjKlMnOpQrStUvWxYz012345"],
    ["together/wrong-key", "tgp_v1_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"],
    ["fireworks/wrong-key", "fw_3ZAbCdEfGhIjKlMnOpQrStUv"],
    ["cerebras/key-echoed", "csk-AbCdEfGhIjKlMnOpQrStUvWxYz012345"],
    ["groq/key-echoed", "gsk_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"],
    ["moonshot/key-in-text", "ak-f3t8pfk16fki11gzh6i1"],
    ["openrouter/key-behind", "sk-live-abcdefghijklmnop1234"],
    ["openrouter/raw", "sk-or-v1-0123456789abcdef"],
    ["generic/configured-key", "7f3a9c51e2d84b06"],
  ])("%s: the key is sent by the upstream, and goes no further", (name, key) => {
    expect(JSON.stringify(readFixture("errors", name)["body"])).toContain(key)
    const { message } = playError(name)
    expect(message).not.toContain(key)
    expect(message).toContain("[redacted]")
  })
})

// What each provider with a wording of its own must be known for.
const local: readonly string[] = ["ollama", "lmstudio", "vllm", "llamacpp"]
const chat = providers.filter((row) => row.delta.dialect !== "messages" && row.id !== "demo")

describe("every provider's", () => {
  const errorsOf = (id: string) => names.filter((name) => name.startsWith(`${id}/`)).map(playError)

  test.each(chat.map((row) => row.id))("%s: key, wrong request, overflow, trouble of its own", (id) => {
    const played = errorsOf(id)
    const kinds = new Set(played.map((error) => error.type))
    expect(kinds).toContain("authentication_error")
    expect(kinds).toContain("invalid_request_error")
    expect(played.filter((error) => error.status >= 500).length).toBeGreaterThan(0)
    const overflow = /^prompt is too long: \d+ tokens > \d+ maximum|^input length and `max_tokens` exceed/
    expect(played.some((error) => error.status === 400 && overflow.test(error.message))).toBe(true)
  })

  test.each(chat.map((row) => row.id).filter((id) => !local.includes(id)))("%s: limits", (id) => {
    expect(errorsOf(id).map((error) => error.type)).toContain("rate_limit_error")
  })
})

// Limits of the account that time does not lift: one that the request alone is above, and those of a whole model.
const lastingLimits: readonly string[] = ["openai/above-rate-limit", "ark/set-limit", "ark/quota"]
// Words that the model wrote wrong, which it may write otherwise the next time.
const illWritten: readonly string[] = ["groq/tool-use-failed", "groq/json-validate-failed"]

test("who may try again: never what money, keys or wrong words are the cause of", () => {
  const retried: readonly string[] = ["rate_limit_error", "overloaded_error", "timeout_error"]
  for (const name of names) {
    const { type, retry, final, status } = playError(name)
    const wanted = !lastingLimits.includes(name)
    if (retried.includes(type)) expect([name, retry, final]).toEqual([name, wanted, !wanted])
    if (status === 401 || status === 402) expect([name, retry, final]).toEqual([name, false, true])
    if (type === "invalid_request_error") expect([name, retry]).toEqual([name, illWritten.includes(name)])
  }
})
