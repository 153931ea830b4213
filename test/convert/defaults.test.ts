// What the configuration says of a model: thinking, effort and sampling, against what the client says.
import { describe, expect, test } from "bun:test"
import { bodyOf } from "../../src/convert/request/body-of.ts"
import { sampling } from "../../src/convert/request/parameters.ts"
import { type Conversion, convertRequest } from "../../src/convert/request/request.ts"
import { wishOf } from "../../src/convert/request/thinking.ts"
import { arrayOf } from "../../src/protocol/json.ts"
import { inDialect } from "../../src/providers/dialect.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import type { Defaults, Route } from "../../src/providers/route.ts"
import { property } from "../support/random.ts"
import { randomRequest } from "./request-random.ts"
import {
  ask,
  assistant,
  call,
  deepseek,
  limits,
  parse,
  result,
  routeTo,
  type Target,
  text,
  user,
} from "./request-support.ts"

const code = [user(text("Fix the failing tests in src/a.ts"))]
const poem = [user(text("Write a poem about the sea"))]
const hello = [user(text("Hello there"))]
const sum = [user(text("What is 15 * 17?"))]
const weigh = [user(text("Compare tea and coffee"))]

interface Given {
  readonly messages?: readonly unknown[]
  readonly more?: object
  readonly defaults?: Defaults
  readonly tuning?: boolean
  readonly target?: Target
  readonly delta?: ProfileDelta
}

function convert({
  messages = hello,
  more = {},
  defaults = {},
  tuning = false,
  target,
  delta,
}: Given): Conversion {
  const route: Route = { ...routeTo(target ?? deepseek, delta), defaults, tuning }
  return convertRequest(parse(ask(messages, { ...more })), route, limits, undefined)
}

const notesOf = ({ notes }: Conversion): readonly string[] =>
  notes.map(({ kind, path, why }) => `${kind} ${path}: ${why}`)

/** What a body says of thinking, in two words. */
function thinks({ body: { thinking, reasoning_effort } }: Conversion): string {
  return [thinking?.type, reasoning_effort].filter((word) => word !== undefined).join(" ")
}

const adaptive = { thinking: { type: "adaptive" }, output_config: { effort: "low" } }
const disabled = { thinking: { type: "disabled" }, output_config: { effort: "high" } }
const tool = { name: "Read", input_schema: { type: "object", properties: {} } }
const forced = { tools: [tool], tool_choice: { type: "any" } }

describe("thinking", () => {
  const isTrue = "changed thinking: on: DEEPSEEK_THINKING is true"
  const isFalse = "changed thinking: off: DEEPSEEK_THINKING is false"
  const auto = (way: string, kind: string) =>
    `changed thinking: ${way}: DEEPSEEK_THINKING is auto and this looks like ${kind}`
  const unforced = "changed thinking: off: this provider forces no tool call while thinking"
  const plain = { max_tokens: 8_000 }
  test.each<[Defaults["thinking"], readonly unknown[], object, string, readonly string[]]>([
    [undefined, code, {}, "", []],
    [undefined, code, adaptive, "enabled low", []],
    ["on", hello, {}, "enabled high", [isTrue]],
    ["on", hello, adaptive, "enabled low", []],
    ["on", hello, { thinking: { type: "adaptive" } }, "enabled high", []],
    ["on", hello, { output_config: { effort: "max" } }, "enabled max", []],
    ["on", hello, disabled, "disabled", []],
    ["on", code, forced, "disabled", [unforced]],
    ["off", code, {}, "disabled", [isFalse]],
    ["off", code, adaptive, "disabled", [isFalse]],
    ["off", code, disabled, "disabled", []],
    ["off", code, { ...adaptive, ...forced }, "disabled", [isFalse]],
    ["auto", code, {}, "enabled high", [auto("on", "code")]],
    ["auto", sum, {}, "enabled high", [auto("on", "reasoning")]],
    ["auto", weigh, {}, "enabled high", [auto("on", "analysis")]],
    ["auto", code, adaptive, "enabled low", []],
    ["auto", hello, {}, "disabled", [auto("off", "chat")]],
    ["auto", poem, {}, "disabled", [auto("off", "creative")]],
    ["auto", poem, adaptive, "disabled", [auto("off", "creative")]],
    ["auto", hello, disabled, "disabled", []],
    ["auto", code, disabled, "disabled", []],
    ["auto", code, forced, "disabled", [unforced]],
    ["auto", hello, forced, "disabled", [auto("off", "chat")]],
  ])("%p: %j %j", (thinking, messages, more, expected, notes) => {
    const conversion = convert({
      messages,
      more: { ...plain, ...more },
      defaults: thinking === undefined ? {} : { thinking },
    })
    expect(thinks(conversion)).toBe(expected)
    expect(notesOf(conversion)).toEqual([...notes])
  })

  test("is the same in all requests of a tool loop", () => {
    const loop = [assistant(call("a")), user(result("a", "Traceback (most recent call last)"))]
    const more = { ...plain, tools: [tool] }
    const defaults = { thinking: "auto" } as const
    for (const [messages, expected] of [
      [poem, "disabled"],
      [code, "enabled high"],
    ] as const) {
      const rounds = [
        messages,
        [...messages, ...loop],
        [...messages, ...loop, assistant(call("b")), user(result("b"))],
      ]
      const said = rounds.map((round) => thinks(convert({ messages: round, more, defaults })))
      expect(said).toEqual([expected, expected, expected])
    }
  })

  const thought = assistant({ type: "thinking", thinking: "hm", signature: "" }, call("a"))
  const history = [...code, thought, user(result("a")), assistant(text("done")), ...poem]
  const historyOf = ({ body: { messages } }: Conversion) =>
    messages.flatMap((message) => (message.role === "assistant" ? [message.reasoning_content] : []))
  test.each<[string, Given, readonly (string | undefined)[], boolean, number]>([
    ["on where nothing is said", { defaults: { thinking: "on" } }, ["hm", ""], true, 4_096],
    [
      "off where it is asked for",
      { defaults: { thinking: "off" }, more: adaptive },
      [undefined, undefined],
      false,
      1_000,
    ],
    [
      "off by the task",
      { defaults: { thinking: "auto" }, more: adaptive },
      [undefined, undefined],
      false,
      1_000,
    ],
    [
      "off by the client",
      { defaults: { thinking: "on" }, more: disabled },
      [undefined, undefined],
      false,
      1_000,
    ],
    ["an effort alone", { defaults: { effort: "max" } }, ["hm", ""], true, 4_096],
    ["off by effort", { defaults: { effort: "off" }, more: adaptive }, [undefined, undefined], false, 1_000],
  ])("history, display and room follow: %s", (_name, given, reasoning, shown, room) => {
    const conversion = convert({ messages: history, ...given })
    expect([historyOf(conversion), conversion.showReasoning, conversion.body.max_tokens]).toEqual([
      [...reasoning],
      shown,
      room,
    ])
  })

  test.each<[Target, Defaults, object]>([
    [["dashscope", "qwen3-max"], { thinking: "off" }, { enable_thinking: false }],
    [["openrouter", "some/model"], { thinking: "off" }, { reasoning: { enabled: false } }],
    [["openrouter", "some/model"], { thinking: "on" }, { reasoning: { effort: "high" } }],
    [["openai", "gpt-5.2"], { thinking: "off" }, { reasoning_effort: "none" }],
    [
      ["vllm", "deepseek-v3.2"],
      { thinking: "on" },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
    ],
  ])("in the words of %j: %j", (target, defaults, expected) => {
    expect(convert({ target, defaults }).body).toMatchObject(expected)
  })

  test("where there is no word for it, that is said", () => {
    const notes = notesOf(convert({ target: ["generic", "some-model"], defaults: { thinking: "off" } }))
    expect(notes).toEqual([isFalse, "dropped thinking: left to the model: there is no word for it here"])
  })
})

describe("effort", () => {
  const set = (word: string) => `changed output_config.effort: ${word}, set in the configuration`
  test.each<[Defaults, object, string, readonly string[]]>([
    [{ effort: "max" }, {}, "enabled max", [set("max")]],
    [{ effort: "max" }, adaptive, "enabled max", [set("max")]],
    [{ effort: "low" }, adaptive, "enabled low", []],
    [
      { effort: "low" },
      { thinking: { type: "enabled", budget_tokens: 30_000 } },
      "enabled low",
      [set("low")],
    ],
    [{ effort: "max" }, disabled, "disabled", []],
    [{ effort: "off" }, disabled, "disabled", []],
    [{ effort: "off" }, {}, "disabled", ["changed thinking: off: so says the effort in the configuration"]],
    [
      { effort: "off", thinking: "on" },
      adaptive,
      "disabled",
      ["changed thinking: off: so says the effort in the configuration"],
    ],
    [
      { effort: "max", thinking: "off" },
      adaptive,
      "disabled",
      ["changed thinking: off: DEEPSEEK_THINKING is false"],
    ],
    [
      { effort: "max", thinking: "on" },
      {},
      "enabled max",
      ["changed thinking: on: DEEPSEEK_THINKING is true", set("max")],
    ],
    [
      { effort: "high", thinking: "on" },
      {},
      "enabled high",
      ["changed thinking: on: DEEPSEEK_THINKING is true"],
    ],
    [
      { effort: "max", thinking: "auto" },
      adaptive,
      "disabled",
      ["changed thinking: off: DEEPSEEK_THINKING is auto and this looks like chat"],
    ],
  ])("%j %j", (defaults, more, expected, notes) => {
    const conversion = convert({ defaults, more: { max_tokens: 8_000, ...more } })
    expect(thinks(conversion)).toBe(expected)
    expect(notesOf(conversion)).toEqual([...notes])
  })

  test("in the nearest word, under the name of the effort", () => {
    const conversion = convert({
      target: ["openai", "gpt-5"],
      defaults: { effort: "max" },
      more: { max_tokens: 8_000 },
    })
    expect(conversion.body.reasoning_effort).toBe("high")
    expect(notesOf(conversion)).toEqual([
      set("max"),
      "changed output_config.effort: max is sent as high, the nearest degree taken here",
    ])
  })
})

describe("sampling", () => {
  const fieldsOf = ({ body: { temperature, top_p, top_k } }: Conversion) => [temperature, top_p, top_k]
  test.each<[string, Given, readonly (number | undefined)[]]>([
    ["nothing", {}, [undefined, undefined]],
    ["the client's", { more: { temperature: 1, top_p: 0.5 } }, [1, 0.5]],
    ["code", { messages: code, tuning: true }, [0.1, 0.9]],
    ["reasoning", { messages: sum, tuning: true }, [0.3, 0.8]],
    ["creative", { messages: poem, tuning: true }, [0.8, 0.95]],
    ["analysis", { messages: weigh, tuning: true }, [0.2, 0.85]],
    ["chat", { messages: hello, tuning: true }, [undefined, undefined]],
    ["not tuned", { messages: code }, [undefined, undefined]],
    [
      "the client's temperature alone",
      { messages: code, tuning: true, more: { temperature: 1 } },
      [1, undefined],
    ],
    ["the client's top_p alone", { messages: code, tuning: true, more: { top_p: 0.4 } }, [undefined, 0.4]],
    ["null is nothing", { messages: code, tuning: true, more: { temperature: null } }, [0.1, 0.9]],
    ["zero is something", { messages: code, tuning: true, more: { temperature: 0 } }, [0, undefined]],
    ["configured", { defaults: { temperature: 0.6, top_p: 0.7 } }, [0.6, 0.7]],
    ["configured in part", { defaults: { top_p: 0.7 } }, [undefined, 0.7]],
    ["configured zero", { defaults: { temperature: 0 }, messages: poem, tuning: true }, [0, 0.95]],
    ["configured, then tuned", { messages: code, tuning: true, defaults: { temperature: 0.6 } }, [0.6, 0.9]],
    [
      "the client's, not the configured",
      { more: { top_p: 0.4 }, defaults: { temperature: 0.6 } },
      [undefined, 0.4],
    ],
  ])("%s", (_name, given, expected) => {
    expect(fieldsOf(convert(given)).slice(0, 2)).toEqual([...expected])
  })

  test("a top_k of the client's stands beside both", () => {
    const given = { messages: code, tuning: true, more: { top_k: 5 }, delta: { allow: ["top_k"] } } as const
    expect(fieldsOf(convert(given))).toEqual([0.1, 0.9, 5])
  })

  test("what was added is told", () => {
    expect(notesOf(convert({ messages: code, tuning: true, defaults: { top_p: 0.5 } }))).toEqual([
      "changed temperature: 0.1, chosen for code (PROMPT_TUNING)",
      "changed top_p: 0.5, set in the configuration",
    ])
    expect(notesOf(convert({ messages: code, tuning: true, more: { temperature: 1 } }))).toEqual([])
  })

  test("a model that takes none gets none, and a range holds", () => {
    const conversion = convert({ messages: code, tuning: true, target: ["openai", "o3"] })
    expect(fieldsOf(conversion).slice(0, 2)).toEqual([undefined, undefined])
    expect(notesOf(conversion)).toContain("dropped temperature: refused by this provider or model")
    const clamped = convert({ defaults: { temperature: 1.8 }, target: ["zai", "glm-4.6"] })
    expect(clamped.body.temperature).toBe(1)
  })
})

test("the Responses API is told the same", () => {
  const known = routeTo(["openai", "gpt-5.2"], { allow: ["temperature", "top_p"] })
  const profile = inDialect({ ...known.profile, dialect: "responses" })
  const given = { ...known, profile, tuning: true }
  const bodyFor = (defaults: Defaults) =>
    bodyOf(convertRequest(parse(ask(code)), { ...given, defaults }, limits, undefined))
  expect(bodyFor({ effort: "low", temperature: 0.4 })).toMatchObject({
    reasoning: { effort: "low", summary: "auto" },
    temperature: 0.4,
    top_p: 0.9,
    max_output_tokens: 4_096,
  })
  expect(bodyFor({ thinking: "off" })).toMatchObject({
    reasoning: { effort: "none" },
    max_output_tokens: 1_000,
  })
})

test("the task is not looked for where it decides nothing", () => {
  const never = () => {
    throw new Error("looked for")
  }
  const plain = parse(ask(code))
  const off = parse(ask(code, { thinking: { type: "disabled" } }))
  for (const defaults of [{}, { thinking: "on" }, { thinking: "off" }, { effort: "max" }] as const)
    expect(() => wishOf(plain, defaults, never)).not.toThrow()
  expect(() => wishOf(off, { thinking: "auto" }, never)).not.toThrow()
  expect(() => wishOf(plain, { thinking: "auto" }, never)).toThrow("looked for")
  const both = { temperature: 1, top_p: 1 }
  expect(() => sampling(plain, { defaults: {}, tuning: false }, never)).not.toThrow()
  expect(() => sampling(plain, { defaults: both, tuning: true }, never)).not.toThrow()
  expect(() => sampling(parse(ask(code, { top_p: 1 })), { defaults: {}, tuning: true }, never)).not.toThrow()
  expect(() => sampling(plain, { defaults: {}, tuning: true }, never)).toThrow("looked for")
})

property("one level decides everything, whatever was asked for and configured", 400, (random) => {
  const levels = ["off", "low", "high", "max"] as const
  const defaults: Defaults = {
    ...(random.chance(0.7) ? { thinking: random.pick(["on", "off", "auto"] as const) } : {}),
    ...(random.chance(0.4) ? { effort: random.pick(levels) } : {}),
  }
  const words = random.pick([code, poem, hello, sum])
  const raw = randomRequest(random)
  const request = parse({
    ...raw,
    messages: [...words, ...(random.chance(0.5) ? arrayOf(raw["messages"]) : [])],
  })
  const route = { ...routeTo(deepseek), defaults, tuning: random.chance(0.5) }
  const { body, showReasoning } = convertRequest(request, route, limits, undefined)
  const turns = body.messages.filter((message) => message.role === "assistant")
  const isForced = body.tool_choice !== undefined && !["auto", "none"].includes(String(body.tool_choice))
  const { thinking, reasoning_effort } = body
  if (thinking?.type === "disabled") {
    expect([reasoning_effort, showReasoning]).toEqual([undefined, false])
    expect(turns.filter((turn) => turn.reasoning_content !== undefined)).toEqual([])
    return
  }
  expect([isForced, showReasoning]).toEqual([false, true])
  expect(turns.filter((turn) => turn.reasoning_content === undefined)).toEqual([])
  if (thinking !== undefined) expect(body.max_tokens).toBeGreaterThanOrEqual(4_096)
  expect([defaults.thinking, defaults.effort]).not.toContain("off")
  if (defaults.effort !== undefined) expect<string | undefined>(reasoning_effort).toBe(defaults.effort)
})
