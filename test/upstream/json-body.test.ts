import { expect, test } from "bun:test"
import { jsonBody } from "../../src/upstream/json-body.ts"

const messagesOf = (count: number, text: string) =>
  Array.from({ length: count }, (_, at) => ({ role: "user", content: `${at} ${text}`, name: undefined }))

const long = 'wörter → 漢字 🎯 " \\ \n \u2028 lone: \ud83d. '.repeat(100)

const bodies: readonly (readonly [string, object])[] = [
  ["nothing", {}],
  ["few messages", { model: "m", messages: messagesOf(3, long), stream: true }],
  ["many short ones", { model: "m", messages: messagesOf(40, "hi"), stream: true, user: undefined }],
  ["many long ones", { model: "m", messages: messagesOf(200, long), tools: [], stop: undefined, n: null }],
  ["many items and tools", { input: messagesOf(300, long), tools: messagesOf(50, long), a: { b: [1] } }],
  ["nothing but undefined before", { a: undefined, messages: messagesOf(200, long), b: undefined }],
  ["holes", { messages: [...messagesOf(200, long), undefined, null, 1, "x", [], {}] }],
]

test.each(bodies)("%s: the bytes are those of JSON.stringify", async (_name, body) => {
  const expected = JSON.stringify(body)
  expect(await new Response(jsonBody(body)).text()).toBe(
    new TextDecoder().decode(new TextEncoder().encode(expected)),
  )
})

test("a long conversation leaves in one piece, its length known before", async () => {
  const body = { model: "m", messages: messagesOf(200, long) }
  const written = jsonBody(body)
  expect(written).toBeInstanceOf(Blob)
  const heard: (string | null)[] = []
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const bytes = await request.bytes()
      const { headers } = request
      heard.push(...["content-length", "transfer-encoding", "content-type"].map((name) => headers.get(name)))
      return new Response(String(Bun.hash(bytes)))
    },
  })
  const headers = { "content-type": "application/json" }
  const response = await fetch(server.url, { method: "POST", headers, body: written })
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  expect(await response.text()).toBe(String(Bun.hash(bytes)))
  expect(heard).toEqual([String(bytes.length), null, "application/json"])
})
