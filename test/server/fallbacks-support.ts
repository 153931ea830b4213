// A model with fallbacks, each with a scripted upstream of its own, behind the real server.
import { textOf } from "../../src/protocol/json.ts"
import { configOf, folderWith, load } from "../config/support.ts"
import { createMessagesUpstream, type MessagesTurn, nativeStream } from "../support/anthropic-upstream.ts"
import { chatReply, finishChunk, roleChunk, textChunk, usageChunk } from "../support/chunks.ts"
import type { Script, Turn } from "../support/script.ts"
import { createUpstream } from "../support/upstream.ts"
import { cleanUp, type ProxyOptions, startProxy } from "./support.ts"

/** Who answers for one model. */
export interface Place {
  readonly kind: "chat" | "native"
  readonly url: string
  /** How often a reply was asked for. */
  readonly asked: () => number
  readonly texts: () => readonly string[]
  readonly headers: () => readonly Readonly<Record<string, string>>[]
}

/** An upstream of Chat Completions. */
export function chat(script: Script): Place {
  const upstream = createUpstream(script)
  cleanUp(upstream.stop)
  return {
    kind: "chat",
    url: upstream.url,
    asked: () => upstream.turns().length,
    texts: () => upstream.turns().map(({ text }) => text),
    headers: () => upstream.turns().map(({ headers }) => headers),
  }
}

/** An upstream that speaks Messages itself. */
export function native(script: readonly MessagesTurn[]): Place {
  const upstream = createMessagesUpstream(script)
  cleanUp(upstream.stop)
  return {
    kind: "native",
    url: upstream.url.replace("/messages", ""),
    asked: () => upstream.calls.length,
    texts: () => upstream.calls.map(({ text }) => text),
    headers: () => upstream.calls.map(({ headers }) => headers),
  }
}

/** An address of any kind, with nobody or somebody else behind it. */
export function address(kind: Place["kind"], url: string): Place {
  return { kind, url, asked: () => 0, texts: () => [], headers: () => [] }
}

export interface ChainOptions extends Omit<ProxyOptions, "config"> {
  /** Lines of models.yaml for one of the models, by its place. */
  readonly more?: Readonly<Record<number, readonly string[]>>
  /** In place of all but the first. */
  readonly fallbacks?: readonly string[]
}

/** `m0` with the fallbacks `m1`, `m2` …, which their upstreams know as `u0`, `u1`, `u2` …. */
export function chain(
  places: readonly Place[],
  { more = {}, env, fallbacks, ...options }: ChainOptions = {},
) {
  const names = fallbacks ?? places.slice(1).map((_place, index) => `m${index + 1}`)
  const models = places.flatMap(({ kind, url }, index) => [
    `- model_id: m${index}`,
    `  model_name: u${index}`,
    `  api_base: ${url}`,
    `  api_key_name: KEY_${index}`,
    ...(kind === "native" ? ["  direct: true"] : []),
    ...(index === 0 && names.length > 0 ? [`  fallbacks: [${names.join(", ")}]`] : []),
    ...(more[index] ?? []).map((line) => `  ${line}`),
  ])
  const keys = Object.fromEntries(places.map((_place, index) => [`KEY_${index}`, `sk-key-of-model-${index}`]))
  const settings = {
    PORT: "0",
    OPENAI_BASE_URL: "http://127.0.0.1:9/v1",
    OPENAI_API_KEY: "sk-none",
    BIG_MODEL: "m0",
  }
  const loaded = load({
    env: { ...settings, ...keys, ...env },
    configDir: folderWith({ "models.yaml": models.join("\n") }),
  })
  return startProxy("", { speed: 100, ...options, config: configOf(loaded) })
}

export const fine = (text: string): Turn => ({
  kind: "stream",
  chunks: [roleChunk(), textChunk(text), finishChunk("stop"), usageChunk(3, 1)],
})

/** The same as one document. */
export const whole = (text: string): Turn => ({ kind: "json", body: chatReply({ content: text }) })

/** Streams whoever asks for a stream, and else answers whole. */
export const answering =
  (text: string): Script =>
  ({ stream }) =>
    stream === true ? fine(text) : whole(text)

const json = { "content-type": "application/json" }

export const nativeMessage = (text: string) => ({
  ...{ id: "msg_native", type: "message", role: "assistant", model: "u-native" },
  content: [{ type: "text", text }],
  ...{ stop_reason: "end_turn", stop_sequence: null },
  usage: { input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 40, output_tokens: 25 },
})

export const nativeWhole = (text: string): MessagesTurn => ({
  headers: json,
  steps: [JSON.stringify(nativeMessage(text))],
})

export const nativeFine = (text: string): MessagesTurn => ({ steps: [nativeStream(text)] })

export const nativeError = (
  status: number,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): MessagesTurn => ({
  status,
  headers: { ...json, ...headers },
  steps: [JSON.stringify({ type: "error", error: { type, message: `native ${status}` } })],
})

/** All text of a whole reply. */
export function replyText(reply: Readonly<Record<string, unknown>>): string {
  const content = Array.isArray(reply["content"]) ? reply["content"] : []
  return content.map((block) => textOf(block.text) ?? "").join("")
}
