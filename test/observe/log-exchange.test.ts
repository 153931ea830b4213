import { describe, expect, test } from "bun:test"
import type { Exchange } from "../../src/observe/exchange.ts"
import { createLogger, type Logger, type LoggerOptions } from "../../src/observe/log.ts"
import { logExchange } from "../../src/observe/log-exchange.ts"
import { logTopics } from "../../src/observe/log-topics.ts"
import { changed, dropped, fault } from "../../src/protocol/fault.ts"

const usage = {
  input_tokens: 15,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 5,
  output_tokens: 42,
}

const plain: Exchange = {
  requestId: "req_1",
  requestedModel: "claude-haiku-4-5",
  model: "gpt-4o-mini",
  provider: "openai",
  reason: "haiku → SMALL_MODEL",
  stream: false,
  attempts: 1,
  firstContentMs: 310.4,
  durationMs: 2_000.2,
  usage,
  estimated: false,
  notes: [],
  repairs: [],
  outcome: { kind: "completed" },
}

const now = () => new Date("2025-01-01T10:30:15.000Z")

function logger(level: LoggerOptions["level"], written: string[], format: "text" | "json" = "text"): Logger {
  return createLogger({ level, format, write: (line) => written.push(line), now, secrets: ["canary-key"] })
}

/** The lines without their time. */
function said(exchange: Partial<Exchange>, level: LoggerOptions["level"] = "INFO"): readonly string[] {
  const written: string[] = []
  logExchange({ ...plain, ...exchange }, logger(level, written))
  return written.map((line) => line.slice("2025-01-01 10:30:15 - ".length))
}

const usageLine =
  "INFO - 🎯 Token Usage | Model: claude-haiku-4-5 → gpt-4o-mini | Input: 20 | Cached: 5 | Output: 42 | Total: 62"
const routeLine = "🔀 Route | claude-haiku-4-5 → gpt-4o-mini | openai | haiku → SMALL_MODEL"

describe("the log", () => {
  test("the usage of a completed request", () => {
    expect(said({})).toEqual([usageLine])
  })

  test("the route before it, where the content decided", () => {
    const reason = "haiku → ROUTER_BACKGROUND"
    expect(said({ routed: true, reason })).toEqual([
      "INFO - 🔀 Route | claude-haiku-4-5 → gpt-4o-mini | openai | haiku → ROUTER_BACKGROUND",
      usageLine,
    ])
    expect(said({ routed: true, reason, requestedModel: "" })[0]).toBe(
      "INFO - 🔀 Route | gpt-4o-mini | openai | haiku → ROUTER_BACKGROUND",
    )
  })

  test.each([[{}], [{ routed: false }]])("%j: the route at DEBUG alone", (exchange) => {
    const [first, second, third, ...more] = said(exchange, "DEBUG")
    expect([first, second, more]).toEqual([`DEBUG - ${routeLine}`, usageLine, []])
    expect(third).toStartWith("DEBUG - request requestId=req_1 provider=openai")
  })

  test("a client that left, and a failure, have no usage", () => {
    const failed = {
      kind: "failed",
      fault: fault({ kind: "api_error", source: "upstream", message: "no" }),
    } as const
    expect(said({ outcome: { kind: "cancelled" } })).toEqual([
      "INFO - the client closed the connection requestId=req_1",
    ])
    expect(said({ outcome: failed, routed: true })).toEqual([
      `INFO - ${routeLine}`,
      "ERROR - request failed requestId=req_1 status=500 why=no",
    ])
  })

  test("repairs are a warning", () => {
    const repairs = [changed("choices.0.message.content", "a call of Bash was written as text")]
    expect(said({ repairs })).toEqual([
      usageLine,
      'WARNING - the model\'s reply was repaired requestId=req_1 model=gpt-4o-mini repairs=["choices.0.message.content: a call of Bash was written as text"]',
    ])
  })
})

/** What each subject says, as JSON without time and level. */
function topics(exchange: Partial<Exchange>, level: LoggerOptions["level"] = "INFO") {
  const written = { streaming: [] as string[], thinking: [] as string[], tools: [] as string[] }
  logTopics(
    { ...plain, ...exchange },
    {
      streaming: logger(level, written.streaming, "json"),
      thinking: logger(level, written.thinking, "json"),
      tools: logger(level, written.tools, "json"),
    },
    now,
  )
  const read = (lines: readonly string[]) =>
    lines.map((line) => {
      const { time, level: _, ...rest } = JSON.parse(line)
      expect(time).toBe(now().toISOString())
      return rest
    })
  return {
    streaming: read(written.streaming),
    thinking: read(written.thinking),
    tools: read(written.tools),
  }
}

const about = {
  requestId: "req_1",
  requested: "claude-haiku-4-5",
  model: "gpt-4o-mini",
  provider: "openai",
}
const reply = { events: 57, calls: {}, thought: false }

describe("the subjects", () => {
  test("a plain request says nothing", () => {
    expect(topics({ reply })).toEqual({ streaming: [], thinking: [], tools: [] })
    expect(topics({})).toEqual({ streaming: [], thinking: [], tools: [] })
  })

  test("a stream: its times, events, tokens and end", () => {
    expect(topics({ stream: true, reply, estimated: true }).streaming).toEqual([
      {
        message: "stream completed",
        ...about,
        started: "2025-01-01T10:30:13.000Z",
        firstContentMs: 310,
        durationMs: 2000,
        events: 57,
        inputTokens: 20,
        outputTokens: 42,
        estimated: true,
      },
    ])
  })

  test("a stream that failed before its first word says why", () => {
    const given = fault({ kind: "overloaded_error", source: "upstream", message: "busy, canary-key" })
    const outcome = { kind: "failed", fault: given } as const
    expect(topics({ stream: true, outcome, firstContentMs: undefined }).streaming).toEqual([
      {
        message: "stream failed",
        ...about,
        started: "2025-01-01T10:30:13.000Z",
        durationMs: 2000,
        inputTokens: 20,
        outputTokens: 42,
        status: 529,
        why: "busy, [redacted]",
      },
    ])
    expect(topics({ stream: true, outcome: { kind: "cancelled" } }).streaming).toMatchObject([
      { message: "stream cancelled" },
    ])
  })

  test.each([
    ["thinking", true],
    ["thinking.type", true],
    ["output_config.effort", true],
    ["reasoning_effort", true],
    ["messages.3.content.0.thinking", false],
    ["tool_choice", false],
  ])("a note at %s is about thinking: %p", (path, is) => {
    const expected = { message: "thinking", ...about, decisions: [`${path}: on (code)`], thought: false }
    const notes = [dropped("top_k", "no such field"), changed(path, "on (code)")]
    expect(topics({ notes, reply }).thinking).toEqual(is ? [expected] : [])
  })

  test("a reply with reasoning, and what it cost", () => {
    const output_tokens_details = { thinking_tokens: 30 }
    expect(
      topics({ usage: { ...usage, output_tokens_details }, reply: { ...reply, thought: true } }).thinking,
    ).toEqual([{ message: "thinking", ...about, thought: true, reasoningTokens: 30 }])
    // Reasoning that is counted and not shown.
    expect(topics({ usage: { ...usage, output_tokens_details }, reply }).thinking).toEqual([
      { message: "thinking", ...about, thought: false, reasoningTokens: 30 },
    ])
  })

  test("calls by name, and what was repaired of them", () => {
    const calls = { Bash: 2, get_password_token: 1 }
    const repairs = [
      changed("choices.0.message.content", "a call of Bash was written as text"),
      changed("choices.0.finish_reason", "unknown word"),
    ]
    expect(topics({ reply: { ...reply, calls }, repairs }).tools).toEqual([
      {
        message: "tool calls",
        ...about,
        calls: 3,
        tools: ["Bash ×2", "get_password_token"],
        repairs: ["choices.0.message.content: a call of Bash was written as text"],
      },
    ])
  })

  test("above INFO they are silent", () => {
    const calls = { Bash: 1 }
    expect(topics({ stream: true, reply: { ...reply, calls, thought: true } }, "WARNING")).toEqual({
      streaming: [],
      thinking: [],
      tools: [],
    })
  })
})
