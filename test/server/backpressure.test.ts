// A client that does not read: the upstream is not read either, what is held for it has a limit, and nothing of it
// is left when it goes.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { folderWith, removeFolders } from "../config/support.ts"
import { startProxy } from "../support/proxy.ts"
import { until } from "../support/upstream.ts"
import { chunked, dataLines, streamHead } from "./raw.ts"
import { postText, rawClient } from "./raw-client.ts"
import { basicBody, cleanUp, stopAll } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const words = "x".repeat(200)

interface Dialect {
  /** Sent once, and then over and over. */
  readonly start: string
  readonly piece: string
}

const chat: Dialect = {
  start: "",
  piece: dataLines({
    ...{ id: "a", object: "chat.completion.chunk", created: 1, model: "m" },
    choices: [{ index: 0, delta: { content: words }, finish_reason: null }],
  }),
}

const usage = { input_tokens: 1, output_tokens: 1 }
const message = { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], usage }
const event = (data: { readonly type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const messages: Dialect = {
  start: [
    { type: "message_start", message: { ...message, stop_reason: null, stop_sequence: null } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  ]
    .map(event)
    .join(""),
  piece: event(
    Object.assign({ type: "content_block_delta" }, { index: 0, delta: { type: "text_delta", text: words } }),
  ),
}

const most = 200_000_000

/** An upstream that sends each request as much as the connection takes, up to `most` bytes. */
function flood({ start, piece }: Dialect) {
  const block = Buffer.from(chunked(piece.repeat(Math.ceil(60_000 / piece.length))))
  const sent: number[] = []
  const sockets = new Map<Bun.Socket, { readonly index: number; offset: number }>()
  function pour(socket: Bun.Socket): void {
    const at = sockets.get(socket)
    if (at === undefined) return
    while ((sent[at.index] ?? most) < most) {
      const written = socket.write(block, at.offset, block.length - at.offset)
      if (written <= 0) return
      at.offset = (at.offset + written) % block.length
      sent[at.index] = (sent[at.index] ?? 0) + written
    }
  }
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket) => {
        if (sockets.has(socket)) return
        sockets.set(socket, { index: sent.length, offset: 0 })
        sent.push(0)
        socket.write(streamHead + (start === "" ? "" : chunked(start)))
        pour(socket)
      },
      drain: pour,
      close: (socket) => void sockets.delete(socket),
    },
  })
  cleanUp(() => server.stop(true))
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    sent: () => sent,
    open: () => sockets.size,
  }
}

/** The memory of another process, in bytes; 0 where the system does not say. */
function memoryOf(pid: number): number {
  if (process.platform !== "linux") return 0
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0)
}

/** Waits until nothing more is sent for a while. */
async function untilStill(sent: () => number): Promise<void> {
  let [last, since] = [-1, performance.now()]
  await until(() => {
    const now = sent()
    if (now !== last) [last, since] = [now, performance.now()]
    return performance.now() - since > 1_500
  }, 60_000)
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)

const ways = [
  ["converted", chat, "/v1/messages"],
  ["converted for OpenAI's clients", chat, "/v1/chat/completions"],
  ["passed through", messages, "/v1/messages"],
  ["passed through for OpenAI's clients", messages, "/v1/chat/completions"],
] as const

describe.each(ways)("%s", (_, dialect, path) => {
  const streams = 12

  test(`${streams} clients that read nothing of 200 MB each`, async () => {
    const upstream = flood(dialect)
    const models = `- {model_id: mine, model_name: m, api_base: "${upstream.url}", api_key_name: OPENAI_API_KEY${dialect === messages ? ", direct: true" : ""}}`
    const env = {
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: "sk-upstream-key-1",
      BIG_MODEL: "m",
      CUSTOM_MODELS_FILE: join(folderWith({ "models.yaml": models }), "models.yaml"),
    }
    const proxy = await startProxy(env)
    cleanUp(async () => void (await proxy.stop().catch(() => {})))
    const port = Number(new URL(proxy.url).port)
    const text = postText(path, JSON.stringify({ ...basicBody, model: "mine", stream: true }))
    const before = memoryOf(proxy.pid)
    const clients = await Promise.all(
      Array.from({ length: streams }, () => rawClient(port, { text, paused: true })),
    )
    await until(() => upstream.sent().length === streams, 20_000)
    await untilStill(() => sum(upstream.sent()))
    // The system's own buffers on both sides take most of it.
    expect(Math.max(...upstream.sent())).toBeLessThan(64_000_000)
    // A few for each, and what the program itself grows by when it is first used.
    expect(memoryOf(proxy.pid) - before).toBeLessThan(streams * 5_000_000 + 150_000_000)
    // They do read after all: it goes on where it stopped.
    const [one, other, ...rest] = clients
    const held = upstream.sent().map((bytes) => bytes)
    one?.resume()
    await until(() => upstream.sent().some((bytes, index) => bytes > (held[index] ?? 0) + 5_000_000), 20_000)
    expect(one?.heard().length).toBeGreaterThan(5_000_000)
    for (const client of [one, other, ...rest]) client?.leave()
    await until(() => upstream.open() === 0, 20_000)
    const health = await fetch(`${proxy.url}/health`)
    expect(health.status).toBe(200)
  }, 120_000)
})
