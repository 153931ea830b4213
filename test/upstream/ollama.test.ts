// Finding an Ollama on this machine.
import { afterEach, describe, expect, test } from "bun:test"
import { findOllama, originOf } from "../../src/upstream/ollama.ts"

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

function serve(answer: () => Response | Promise<Response>): string {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer })
  stops.push(() => server.stop(true))
  return `127.0.0.1:${server.port}`
}

const tags = {
  models: [
    { name: "old:7b", modified_at: "2026-01-01T00:00:00Z", details: { family: "llama" } },
    {
      name: "nomic-embed-text:latest",
      modified_at: "2026-11-01T00:00:00Z",
      details: { family: "nomic-bert" },
    },
    { name: "qwen3:8b", modified_at: "2026-10-01T08:00:00.5+02:00", details: { family: "qwen3" } },
    { model: "undated" },
    { name: 5 },
    "x",
  ],
}

test("the newest model that answers questions comes first", async () => {
  const host = serve(() => Response.json(tags))
  expect(await findOllama(host, 2_000)).toEqual({
    provider: "ollama",
    baseUrl: `http://${host}/v1`,
    models: ["qwen3:8b", "old:7b", "undated"],
  })
})

describe("nothing is found where", () => {
  test.each<[string, () => Response]>([
    ["it has no models", () => Response.json({ models: [] })],
    ["it has only models that embed", () => Response.json({ models: [tags.models[1]] })],
    ["something else answers", () => new Response("<html>hello</html>")],
    ["it answers with an error", () => Response.json(tags, { status: 500 })],
    ["it leads elsewhere", () => Response.redirect("http://127.0.0.1:1/")],
  ])("%s", async (_, answer) => {
    expect(await findOllama(serve(answer), 2_000)).toBeUndefined()
  })

  test("it never answers", async () => {
    const host = serve(() => new Promise<Response>(() => {}))
    const from = performance.now()
    expect(await findOllama(host, 100)).toBeUndefined()
    expect(performance.now() - from).toBeLessThan(2_000)
  })

  test("nothing listens", async () => {
    expect(await findOllama("127.0.0.1:1", 1_000)).toBeUndefined()
  })
})

test.each<[string | undefined, string | undefined]>([
  [undefined, "http://127.0.0.1:11434"],
  [" ", "http://127.0.0.1:11434"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  ["0.0.0.0:8000", "http://127.0.0.1:8000"],
  ["[::]:8000", "http://127.0.0.1:8000"],
  ["localhost", "http://localhost:11434"],
  ["127.0.0.1:8000", "http://127.0.0.1:8000"],
  ["http://127.0.0.1", "http://127.0.0.1"],
  ["https://localhost:8443/", "https://localhost:8443"],
  ["192.168.0.7:11434", undefined],
  ["ollama.example", undefined],
  ["ftp://localhost", undefined],
  ["a b", undefined],
])("OLLAMA_HOST=%s is %s", (host, origin) => {
  expect(originOf(host)).toBe(origin)
})
