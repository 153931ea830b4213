// Requests in, bodies out: what the tests of the request side share.
import { type Conversion, convertRequest } from "../../src/convert/request/request.ts"
import { noteUnknownFields } from "../../src/convert/request/unknown-fields.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { MessagesRequest, renderIssues } from "../../src/protocol/messages/messages.ts"
import { applyDelta } from "../../src/providers/base-profile.ts"
import { inDialect } from "../../src/providers/dialect.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import type { Route } from "../../src/providers/route.ts"
import { findProvider, resolveProfile } from "../../src/providers/table.ts"

/** A provider's row and a model on it. */
export type Target = readonly [provider: string, model: string]

export const gpt4o: Target = ["openai", "gpt-4o"]
export const gpt5: Target = ["openai", "gpt-5"]
export const deepseek: Target = ["deepseek", "deepseek-v4-pro"]
export const ollama: Target = ["ollama", "qwen3"]
export const generic: Target = ["generic", "some-model"]

export const limits = { defaultMaxTokens: 8192, minTokensLimit: 1, maxTokensLimit: undefined }

export function routeTo([provider, model]: Target, delta: ProfileDelta = {}): Route {
  const row = findProvider(provider)
  if (row === undefined) throw new Error(`no provider ${provider}`)
  const known = resolveProfile(row, model)
  // Chat Completions unless a test says otherwise: any model can be spoken to by it.
  const dialect = known.dialect === "responses" ? "chat" : known.dialect
  const profile = inDialect(applyDelta({ ...known, dialect }, delta))
  return {
    ...{
      provider,
      url: "https://upstream.test/chat/completions",
      apiKeys: [],
      apiKey: undefined,
      keyName: "KEY",
    },
    ...{ defaults: {}, tuning: false, prices: undefined, fallbacks: [], routed: false },
    ...{ model, requestedModel: "claude-opus-5-5", profile, headers: {}, reason: "test" },
  }
}

/** Parses as the server does; an invalid request fails the test with its problem. */
export function parse(raw: unknown): MessagesRequest {
  const parsed = MessagesRequest.safeParse(raw)
  if (!parsed.success) throw new Error(renderIssues(parsed.error))
  return parsed.data
}

/** The whole way of a request; its notes include those on fields nobody knows. */
export function convert(raw: unknown, target: Target = gpt4o, delta: ProfileDelta = {}): Conversion {
  const route = routeTo(target, delta)
  const conversion = convertRequest(parse(raw), route, limits, undefined)
  return { ...conversion, notes: [...noteUnknownFields(objectOf(raw), route.profile), ...conversion.notes] }
}

/** A request with these messages and nothing else of interest. */
export function ask(messages: readonly unknown[], more: Readonly<Record<string, unknown>> = {}) {
  return { model: "claude-opus-5-5", max_tokens: 1000, messages, ...more }
}

/** The messages that come out of these. */
export function messagesOf(
  messages: readonly unknown[],
  target: Target = gpt4o,
  more: Readonly<Record<string, unknown>> = {},
): readonly unknown[] {
  return convert(ask(messages, more), target).body.messages
}

/** Notes as lines: `dropped top_k`. */
export function noteLines({ notes }: Conversion): readonly string[] {
  return notes.map(({ kind, path }) => `${kind} ${path}`)
}

export async function readFixture(name: string): Promise<unknown> {
  return Bun.file(`${import.meta.dir}/../fixtures/requests/${name}.json`).json()
}

export const user = (...content: readonly unknown[]) => ({ role: "user", content })
export const assistant = (...content: readonly unknown[]) => ({ role: "assistant", content })
export const text = (value: string) => ({ type: "text", text: value })
export const call = (id: string, input: unknown = {}, name = "Bash") => ({
  type: "tool_use",
  id,
  name,
  input,
})
export const result = (id: string, content: unknown = "done", more = {}) => ({
  type: "tool_result",
  tool_use_id: id,
  content,
  ...more,
})
export const png = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBOR" } }
export const pngPart = { type: "image_url", image_url: { url: "data:image/png;base64,iVBOR" } }
export const chatCall = (id: string, args = "{}", name = "Bash") => ({
  id,
  type: "function",
  function: { name, arguments: args },
})
