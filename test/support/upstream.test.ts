import { afterEach, expect, test } from "bun:test"
import { finishChunk, reasoningChunk, textChunk, toolChunks, usageChunk } from "./chunks.ts"
import type { Turn } from "./script.ts"
import { createUpstream, type ScriptedUpstream } from "./upstream.ts"

const open: ScriptedUpstream[] = []

afterEach(async () => {
  for (const upstream of open.splice(0)) await upstream.stop()
})

function start(...script: readonly Turn[]): ScriptedUpstream {
  const upstream = createUpstream(script)
  open.push(upstream)
  return upstream
}

function ask(upstream: ScriptedUpstream, signal?: AbortSignal): Promise<Response> {
  const url = `${upstream.url}/chat/completions?x=1`
  return fetch(url, { method: "POST", body: '{"model":"m"}', ...(signal === undefined ? {} : { signal }) })
}

/** The text of a body, and the code of the error it ended with. */
async function drain(response: Response): Promise<{ text: string; error: string | undefined }> {
  const decoder = new TextDecoder()
  let text = ""
  try {
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true })
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error)
    return { text, error: code }
  }
  return { text, error: undefined }
}

const hello = 'data: {"a":1}\n\n'

test("a stream is its chunks and [DONE], and the request is recorded", async () => {
  const upstream = start({ kind: "stream", chunks: [{ a: 1 }, ": note\n\n", { pauseMs: 5 }, { a: 1 }] })
  const response = await ask(upstream)
  expect(response.headers.get("content-type")).toBe("text/event-stream")
  expect(await drain(response)).toEqual({
    text: `${hello}: note\n\n${hello}data: [DONE]\n\n`,
    error: undefined,
  })
  const [request] = upstream.turns()
  expect(request?.path).toBe("/v1/chat/completions?x=1")
  expect(request?.body).toEqual({ model: "m" })
  expect(request?.cancelledAt).toBeUndefined()
  expect(upstream.inFlight()).toBe(0)
  expect(upstream.mostInFlight()).toBe(1)
})

test("a clean cut ends the body without [DONE]; a reset fails it", async () => {
  const chunks = [{ a: 1 }]
  const upstream = start({ kind: "stream", chunks, cut: "clean" }, { kind: "stream", chunks, cut: "reset" })
  expect(await drain(await ask(upstream))).toEqual({ text: hello, error: undefined })
  expect(await drain(await ask(upstream))).toEqual({ text: hello, error: "ECONNRESET" })
})

test("raw bytes arrive as they are, half characters too", async () => {
  const bytes = new TextEncoder().encode("data: é\n\n")
  const steps = [bytes.slice(0, 7), { pauseMs: 10 }, bytes.slice(7)]
  expect((await drain(await ask(start({ kind: "raw", steps })))).text).toBe("data: é\n\n")
})

test("whole bodies keep status, headers and text; a finished script says so", async () => {
  const upstream = start(
    { kind: "json", status: 429, body: { error: 1 }, headers: { "retry-after": "7" } },
    { kind: "text", status: 502, body: "<html>" },
  )
  const limited = await ask(upstream)
  expect([limited.status, limited.headers.get("retry-after"), await limited.json()]).toEqual([
    429,
    "7",
    { error: 1 },
  ])
  const broken = await ask(upstream)
  expect([broken.status, await broken.text()]).toEqual([502, "<html>"])
  const over = await ask(upstream)
  expect([over.status, await over.json()]).toEqual([500, { error: { message: "the script has no turn 2" } }])
})

test("everything but chat completions is 404 and no turn", async () => {
  const upstream = start({ kind: "json", body: 1 })
  expect((await fetch(`${upstream.url}/models`)).status).toBe(404)
  expect((await ask(upstream)).status).toBe(200)
  expect(upstream.requests.length).toBe(2)
  expect(upstream.turns().length).toBe(1)
})

test.each([
  ["before the status", { kind: "stall" }],
  ["before the status of a slow stream", { kind: "stream", headersDelayMs: 20_000, chunks: [] }],
  ["in the middle of a stream", { kind: "stream", chunks: [{ a: 1 }, { pauseMs: 20_000 }] }],
] as const)("a client that leaves %s is seen", async (_name, turn) => {
  const upstream = start(turn)
  const controller = new AbortController()
  const answer = ask(upstream, controller.signal).then(drain, () => "failed")
  await upstream.until(() => upstream.inFlight() === 1)
  await Bun.sleep(30)
  const from = performance.now()
  controller.abort()
  await upstream.until(() => upstream.turns()[0]?.cancelledAt !== undefined, 1000)
  expect((upstream.turns()[0]?.cancelledAt ?? 0) - from).toBeLessThan(500)
  expect(upstream.inFlight()).toBe(0)
  await answer
})

test("until gives up in time", async () => {
  const upstream = start()
  await expect(upstream.until(() => false, 20)).rejects.toThrow("not within 20 ms")
})

test("the chunk builders", () => {
  expect(textChunk("a")["choices"]).toEqual([{ index: 0, delta: { content: "a" }, finish_reason: null }])
  expect(reasoningChunk("r", "reasoning")["choices"]).toEqual([
    { index: 0, delta: { content: null, reasoning: "r" }, finish_reason: null },
  ])
  expect(toolChunks(1, "c", "f", { a: 1 }, 4).map((chunk) => chunk["choices"])).toEqual(
    [
      { index: 1, id: "c", type: "function", function: { name: "f", arguments: "" } },
      { index: 1, function: { arguments: '{"a"' } },
      { index: 1, function: { arguments: ":1}" } },
    ].map((piece) => [{ index: 0, delta: { tool_calls: [piece] }, finish_reason: null }]),
  )
  expect(finishChunk("stop")["choices"]).toEqual([{ index: 0, delta: {}, finish_reason: "stop" }])
  expect(usageChunk(3, 2)["choices"]).toEqual([])
})
