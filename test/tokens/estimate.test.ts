import { describe, expect, test } from "bun:test"
import { Tiktoken } from "js-tiktoken/lite"
import ranks from "js-tiktoken/ranks/o200k_base"
import { MessagesRequest } from "../../src/protocol/messages/messages.ts"
import { estimateParts, estimateRequest, estimateText } from "../../src/tokens/estimate.ts"
import type { Countable } from "../../src/tokens/pieces.ts"
import { property } from "../support/random.ts"
import { type Sample, samples } from "./samples.ts"

const encoding = new Tiktoken(ranks)
const exact = (text: string): number => encoding.encode(text, [], []).length

const classes = Map.groupBy(samples, (sample) => sample.class)
const errorOf = ({ text }: Sample): number => estimateText(text) / exact(text) - 1

describe("estimateText against o200k_base, on texts it was not fitted to", () => {
  test.each([...classes])("%s: at most 8 %% off, and no sample 15 %% too low", (_, members) => {
    const errors = members.map(errorOf)
    const mean = errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length
    expect(mean).toBeLessThanOrEqual(0.08)
    expect(Math.min(...errors)).toBeGreaterThan(-0.15)
  })

  test("all in all: 3 % off", () => {
    const errors = samples.map(errorOf)
    expect(errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length).toBeLessThanOrEqual(0.03)
  })

  test("nor are the first 500 tokens of any sample", () => {
    for (const sample of samples) {
      const text = encoding.decode(encoding.encode(sample.text, [], []).slice(0, 500))
      expect(estimateText(text) / exact(text)).toBeGreaterThan(0.85)
    }
  })

  test.each([
    [
      "japanese",
      "サーバーから返ってきた応答を確認してください。エラーが続く場合は、設定ファイルを見直します。",
    ],
    ["korean", "서버에서 오류가 발생했습니다. 잠시 후 다시 시도하거나 관리자에게 문의해 주세요."],
    ["russian", "Сервер не отвечает на запросы, поэтому мы перезапустили его и проверили журнал ошибок."],
    ["arabic", "لم يستجب الخادم للطلب الأخير، لذلك أعدنا تشغيله وتحققنا من سجل الأخطاء."],
    [
      "german",
      "Die Verbindung wurde unterbrochen, deshalb wiederholen wir die Anfrage nach einer kurzen Pause.",
    ],
    ["emoji", "Build 🚀 done ✅ tests 🔥 passed 🎉 bugs 🐛 found 📦 shipped 👍 thanks 😀"],
  ])("%s: within a quarter on one sentence", (_, text) => {
    expect(Math.abs(estimateText(text) / exact(text) - 1)).toBeLessThanOrEqual(0.25)
  })

  test.each([
    ["", 0],
    ["hello", 1],
    ["hello world", 2],
    ["\n", 1],
    ["123456789", 3],
    ["\ud83d", 1],
    [" don't", 1],
    [" can't won't", 2],
    ["é".repeat(200), 20],
  ])("%j is %d", (text, tokens) => {
    expect(estimateText(text)).toBe(tokens)
  })

  property("any text gives a finite count, and no more than three tokens a character", 300, (random) => {
    const text = random.text(200)
    const tokens = estimateText(text)
    expect(Number.isInteger(tokens)).toBe(true)
    expect(tokens).toBeGreaterThanOrEqual(text === "" ? 0 : 1)
    expect(tokens).toBeLessThanOrEqual(3 * text.length)
  })

  test("a megabyte of one letter, of lone surrogates and 5 MB of everything take no time", () => {
    const everything = samples.map((sample) => sample.text).join("\n")
    const texts = [
      "a".repeat(1e6),
      "\udc00\ud800".repeat(5e5),
      " ".repeat(1e6),
      everything.repeat(5e6 / everything.length),
    ]
    const started = performance.now()
    for (const text of texts) expect(estimateText(text)).toBeGreaterThan(0)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

const parse = (body: unknown): MessagesRequest => MessagesRequest.parse(body)

describe("estimateRequest", () => {
  test("counts system, each tool and the messages, and adds them up", () => {
    const request = parse({
      system: [{ type: "text", text: "hello" }],
      tools: [
        { name: "a", description: "hello", input_schema: { type: "object" } },
        { name: "web_search", type: "web_search_20250305" },
      ],
      messages: [{ role: "user", content: "hello world" }],
    })
    const schema = estimateText('{"type":"object"}')
    const parts = estimateParts(request)
    expect(parts).toEqual({
      system: 4,
      tools: [
        { name: "a", tokens: 8 + 1 + 1 + schema },
        { name: "web_search", tokens: 8 + estimateText("web_search") },
      ],
      messages: 5,
      total: 4 + 10 + schema + 8 + estimateText("web_search") + 5,
    })
    expect(estimateRequest(request)).toBe(parts.total)
  })

  const block = (content: unknown, role = "user"): number =>
    estimateRequest(parse({ messages: [{ role, content: [content] }] })) - 3

  test.each([
    ["thinking", { type: "thinking", thinking: "hello world", signature: "x".repeat(500) }, 2],
    ["redacted thinking", { type: "redacted_thinking", data: "A".repeat(400) }, 75],
    ["tool_use", { type: "tool_use", id: "t", name: "hello", input: {} }, 8 + 1 + 1],
    ["tool_result, text", { type: "tool_result", tool_use_id: "t", content: "hello" }, 3 + 1],
    ["tool_result, empty", { type: "tool_result", tool_use_id: "t" }, 3],
    ["tool_reference", { type: "tool_reference", tool_name: "hello" }, 3 + 1],
    ["image by address", { type: "image", source: { type: "url", url: "https://x.test/a.png" } }, 1600],
    [
      "image in a tool result",
      {
        type: "tool_result",
        tool_use_id: "t",
        content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }],
      },
      3 + 1600,
    ],
    ["text document", { type: "document", source: { type: "text", data: "hello" }, title: "hello" }, 2],
    [
      "document of blocks",
      { type: "document", source: { type: "content", content: [{ type: "text", text: "hello" }] } },
      1,
    ],
    [
      "PDF of three pages",
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "A".repeat(160_000) },
      },
      6000,
    ],
    ["PDF by address", { type: "document", source: { type: "url", url: "https://x.test/a.pdf" } }, 2000],
    [
      "encoded text document",
      { type: "document", source: { type: "base64", media_type: "text/plain", data: "A".repeat(400) } },
      75,
    ],
    [
      "search result",
      { type: "search_result", source: "hello", title: "hello", content: [{ type: "text", text: "hello" }] },
      3,
    ],
    [
      "unknown type",
      { type: "hologram", hello: "hello" },
      estimateText('{"type":"hologram","hello":"hello"}'),
    ],
    [
      "encrypted fields",
      { type: "web_search_tool_result", encrypted_content: "A".repeat(9000) },
      estimateText('{"type":"web_search_tool_result"}'),
    ],
    [
      "a call of a server tool",
      { type: "server_tool_use", id: "t", name: "web_search", input: { query: "hello" } },
      estimateText('{"type":"server_tool_use","id":"t","name":"web_search","input":{"query":"hello"}}'),
    ],
    [
      "data of a kind unknown",
      { type: "video", source: { type: "base64", data: "A".repeat(90_000) } },
      1600 + estimateText('{"type":"video","source":{"type":"base64"}}'),
    ],
    [
      "text that is called data",
      { type: "sheet", data: "one two three ".repeat(100) },
      estimateText(JSON.stringify({ type: "sheet", data: "one two three ".repeat(100) })),
    ],
  ])("%s", (_, content, tokens) => {
    expect(block(content)).toBe(tokens)
  })

  test("a request of nothing is nothing", () => {
    expect(estimateParts({})).toEqual({ system: 0, tools: [], messages: 0, total: 0 })
  })

  test("blocks no schema would let through do not make it throw", () => {
    const cycle: Record<string, unknown> = { type: "other" }
    cycle["original"] = cycle
    const odd: unknown[] = [cycle, { type: "text" }, { type: "image" }, { type: "tool_result" }, null, 1n, {}]
    for (const content of odd) {
      const request: Countable = JSON.parse('{"messages":[{"role":"user","content":[]}]}')
      Reflect.set(request.messages?.[0] ?? {}, "content", [content])
      expect(Number.isFinite(estimateRequest(request))).toBe(true)
    }
  })

  test("results nested a thousand deep are counted", () => {
    let inner: unknown = { type: "text", text: "hello" }
    for (let depth = 0; depth < 1000; depth++)
      inner = { type: "tool_result", tool_use_id: "t", content: [inner] }
    const request: Countable = JSON.parse(JSON.stringify({ messages: [{ role: "user", content: [inner] }] }))
    expect(estimateRequest(request)).toBeGreaterThan(1000)
  })

  property("any JSON as the input of a tool and as an unknown block", 200, (random) => {
    const input = random.json(4)
    const request = parse({
      messages: [
        {
          role: "assistant",
          content: [
            { type: "tool_use", id: "t", name: "n", input },
            { type: "new", input },
          ],
        },
      ],
    })
    expect(Number.isInteger(estimateRequest(request))).toBe(true)
  })
})
