// Headers that a provider's row asks for, on real requests.
import { afterAll, afterEach, expect, test } from "bun:test"
import { logExchange } from "../../src/observe/log-exchange.ts"
import { configOf, folderWith, load, removeFolders } from "../config/support.ts"
import { chatReply } from "../support/chunks.ts"
import { post, scripted, startProxy, stopAll } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const png = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBOR" } }
const call = { type: "tool_use", id: "toolu_1", name: "Read", input: {} }
const result = { type: "tool_result", tool_use_id: "toolu_1", content: "done" }
const hi = { role: "user", content: "hi" }

test("Copilot is told who began the turn, and of images", async () => {
  const upstream = scripted(() => ({ kind: "json", body: chatReply({ content: "Hi." }) }))
  const yaml = `- model_id: x\n  provider: copilot\n  api_base: ${upstream.url}\n  api_key_name: COPILOT_API_KEY\n`
  const env = { BIG_MODEL: "x", COPILOT_API_KEY: "copilot-key-1" }
  const config = configOf(load({ env, configDir: folderWith({ "models.yaml": yaml }) }))
  const proxy = startProxy(upstream.url, { config: { ...config, port: 0 } })
  await post(proxy, { messages: [hi] })
  await post(proxy, {
    messages: [hi, { role: "assistant", content: [call] }, { role: "user", content: [result] }],
  })
  await post(proxy, { messages: [{ role: "user", content: [png, { type: "text", text: "what is it?" }] }] })
  expect(
    upstream.turns().map(({ headers }) => [headers["x-initiator"], headers["copilot-vision-request"]]),
  ).toEqual([
    ["user", undefined],
    ["agent", undefined],
    ["user", "true"],
  ])
  for (const { headers } of upstream.turns()) {
    expect(headers["authorization"]).toBe("Bearer copilot-key-1")
    expect(headers["copilot-integration-id"]).toBe("vscode-chat")
  }
})

test("what was repaired in a reply is in the log, without the arguments", async () => {
  const calls = [
    {
      id: "call_00000001",
      type: "function",
      function: { name: "Read", arguments: '{"path":"/secret/file",}' },
    },
  ]
  const upstream = scripted(() => ({
    kind: "json",
    body: chatReply({ content: null, tool_calls: calls }, "tool_calls"),
  }))
  const proxy = startProxy(upstream.url)
  await post(proxy, { tools: [{ name: "Read", input_schema: { type: "object", properties: {} } }] })
  const [exchange] = proxy.exchanges
  expect(exchange?.repairs.map(({ path }) => path)).toEqual(["tool_calls.0.function.arguments"])
  const logged: string[] = []
  const write = (message: string, fields?: () => object) => {
    logged.push(`${message} ${JSON.stringify(fields?.() ?? {})}`)
  }
  if (exchange !== undefined) {
    logExchange(exchange, {
      debug: write,
      info: write,
      warn: (...given) => write(`WARN ${given[0]}`, given[1]),
      error: write,
    })
  }
  expect(logged.find((line) => line.startsWith("WARN"))).toContain("tool_calls.0.function.arguments: ")
  expect(logged.join("\n") + JSON.stringify(proxy.logs)).not.toContain("/secret/file")
})
