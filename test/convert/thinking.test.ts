import { describe, expect, test } from "bun:test"
import { convertThinking, reasoningLevel, wishOf } from "../../src/convert/request/thinking.ts"
import type { MessagesRequest } from "../../src/protocol/messages/messages.ts"
import { ask, parse, routeTo, type Target, text, user } from "./request-support.ts"

const hi = user(text("hi"))
const request = (more: Readonly<Record<string, unknown>>, messages: readonly unknown[] = [hi]) =>
  parse(ask(messages, more))

describe("the level a request asks for", () => {
  const high = { output_config: { effort: "high" } }
  test.each<[string, Readonly<Record<string, unknown>>]>([
    ["unset", {}],
    ["unset", { thinking: null, output_config: null }],
    ["unset", { output_config: { effort: null } }],
    ["unset", { output_config: { effort: "galactic" } }],
    ["off", { thinking: { type: "disabled" } }],
    ["off", { thinking: { type: "disabled" }, ...high }],
    ["off", { thinking: { type: "between_tools" }, ...high }],
    ["low", { thinking: { type: "enabled", budget_tokens: 1024 } }],
    ["medium", { thinking: { type: "enabled", budget_tokens: 1025 } }],
    ["medium", { thinking: { type: "enabled", budget_tokens: 8192 } }],
    ["high", { thinking: { type: "enabled", budget_tokens: 8193 } }],
    ["high", { thinking: { type: "enabled", budget_tokens: 24_576 } }],
    ["xhigh", { thinking: { type: "enabled", budget_tokens: 24_577 } }],
    ["xhigh", { thinking: { type: "enabled", budget_tokens: 31_999 }, output_config: { effort: "low" } }],
    ["high", { thinking: { type: "enabled" } }],
    ["low", { thinking: { type: "enabled" }, output_config: { effort: "low" } }],
    ["high", { thinking: { type: "adaptive", display: "omitted" } }],
    ["max", { thinking: { type: "adaptive" }, output_config: { effort: "max" } }],
    ["high", { thinking: { type: "of_tomorrow" } }],
    ["xhigh", { output_config: { effort: "xhigh" } }],
  ])("%s: %j", (expected, more) => {
    expect<string>(reasoningLevel(request(more))).toBe(expected)
  })

  test("the last system message with an effort counts, but not over a switch that is off", () => {
    const turn = (effort: unknown) => ({ role: "system", output_config: { effort } })
    const messages = [hi, turn("low"), turn("max"), turn("galactic"), turn(null)]
    expect(reasoningLevel(request(high, messages))).toBe("max")
    expect(reasoningLevel(request({}, messages))).toBe("max")
    expect(reasoningLevel(request({ thinking: { type: "disabled" } }, messages))).toBe("off")
  })
})

/** The wish of a client, where the configuration has none. */
const clients = (given: MessagesRequest) => wishOf(given, {}, () => "chat")

const levels = ["off", "low", "medium", "high", "xhigh", "max", "unset"] as const

function asking(level: (typeof levels)[number]) {
  if (level === "unset") return request({})
  if (level === "off") return request({ thinking: { type: "disabled" } })
  return request({ thinking: { type: "adaptive" }, output_config: { effort: level } })
}

function words(target: Target, hasTools: boolean): readonly unknown[] {
  return levels.map((level) => {
    const { fields } = convertThinking(clients(asking(level)), routeTo(target).profile, {
      forced: false,
      hasTools,
    })
    return [fields.thinking?.type, fields.reasoning_effort].filter((word) => word !== undefined).join(" ")
  })
}

describe("in the provider's words", () => {
  const none = Array.from({ length: 7 }, () => "none")
  test.each<[Target, boolean, readonly string[]]>([
    [["openai", "gpt-4o"], true, ["", "", "", "", "", "", ""]],
    [["openai", "o3"], true, ["low", "low", "medium", "high", "high", "high", ""]],
    [["openai", "gpt-5"], true, ["minimal", "low", "medium", "high", "high", "high", ""]],
    [["openai", "gpt-5.1"], true, ["none", "low", "medium", "high", "high", "high", ""]],
    [["openai", "gpt-5.2"], true, ["none", "low", "medium", "high", "xhigh", "xhigh", ""]],
    [["azure", "gpt-5.4"], true, none],
    [["openai", "gpt-5.6"], true, none],
    [["openai", "gpt-5.6"], false, ["none", "low", "medium", "high", "xhigh", "max", ""]],
    [["generic", "openai/gpt-5.6"], true, none],
    [["openai", "gpt-5-chat-latest"], true, ["", "", "", "", "", "", ""]],
    [
      ["deepseek", "deepseek-v4-pro"],
      true,
      ["disabled", "enabled low", "enabled medium", "enabled high", "enabled xhigh", "enabled max", ""],
    ],
    [["ollama", "qwen3"], true, ["none", "", "", "", "", "", ""]],
    [["ollama", "gpt-oss:20b"], true, ["low", "low", "medium", "high", "high", "high", ""]],
    [["generic", "gpt-oss-120b"], true, ["low", "low", "medium", "high", "high", "high", ""]],
    [["generic", "some-model"], true, ["", "", "", "", "", "", ""]],
  ])("%p (tools: %p)", (target, hasTools, expected) => {
    expect(words(target, hasTools)).toEqual([...expected])
  })

  test.each<[Target, object, readonly string[]]>([
    [["openai", "gpt-5"], { output_config: { effort: "max" } }, ["changed output_config.effort"]],
    [["openai", "gpt-5"], { thinking: { type: "disabled" } }, ["changed thinking"]],
    [["openai", "gpt-5.2"], { thinking: { type: "disabled" } }, []],
    [["openai", "gpt-5"], { thinking: { type: "adaptive" } }, []],
    [["generic", "some-model"], { thinking: { type: "adaptive" } }, ["dropped thinking"]],
    [["deepseek", "deepseek-v4-pro"], { thinking: { type: "adaptive" } }, []],
    [["generic", "some-model"], {}, []],
  ])("what cannot be said leaves a note: %p %j", (target, more, expected) => {
    const facts = { forced: false, hasTools: false }
    const { notes } = convertThinking(clients(request({ ...more })), routeTo(target).profile, facts)
    expect(notes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([...expected])
  })

  test("a forced call leaves thinking alone where both may be", () => {
    const facts = { forced: true, hasTools: true }
    const { fields, off } = convertThinking(
      clients(asking("high")),
      routeTo(["openai", "gpt-5"]).profile,
      facts,
    )
    expect([fields, off]).toEqual([{ reasoning_effort: "high" }, false])
  })
})
