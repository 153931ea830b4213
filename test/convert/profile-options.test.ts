// What single fields of a profile change in a request.
import { describe, expect, test } from "bun:test"
import type { ChatMessage } from "../../src/protocol/chat/chat.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import {
  ask,
  assistant,
  call,
  chatCall,
  convert,
  generic,
  noteLines,
  png,
  pngPart,
  result,
  text,
  user,
} from "./request-support.ts"

const hi = user(text("hi"))
const said = (content: string): ChatMessage => ({ role: "user", content })
const tool = (name: string) => ({ name, input_schema: { type: "object", properties: {} } })
const messages = (history: readonly unknown[], delta: ProfileDelta, more = {}) =>
  convert(ask(history, more), generic, delta).body.messages

describe("system messages in mid-conversation", () => {
  const history = [
    hi,
    { role: "system", content: "mind" },
    assistant(call("a")),
    { role: "system", content: "now" },
    user(result("a")),
  ]
  const calls = expect.objectContaining({ content: null, tool_calls: [chatCall("a")] })
  const done: ChatMessage = { role: "tool", tool_call_id: "a", content: "done" }

  test("in their place, but never between a call and its result", () => {
    expect(messages(history, { midSystem: "inline" }, { system: "Be brief." })).toEqual([
      { role: "system", content: "Be brief." },
      said("hi"),
      { role: "system", content: "mind" },
      calls,
      done,
      { role: "system", content: "now" },
    ])
  })

  test("joined to the system prompt", () => {
    expect(messages(history, { midSystem: "hoist" }, { system: "Be brief." })).toEqual([
      { role: "system", content: "Be brief.\n\nmind\n\nnow" },
      said("hi"),
      calls,
      done,
    ])
  })
})

describe("the order of turns", () => {
  test("an assistant's turn between a result and the user's words", () => {
    const history = [hi, assistant(call("a")), user(result("a"), text("go on"))]
    const roles = messages(history, { assistantAfterTool: true }).map(({ role }) => role)
    expect(roles).toEqual(["user", "assistant", "tool", "assistant", "user"])
  })

  test("the user first", () => {
    const history = [assistant(text("hello")), hi]
    expect(messages(history, { userFirst: true })[0]).toEqual({ role: "user", content: "(continued)" })
    expect(messages([hi], { userFirst: true })).toEqual([said("hi")])
  })

  test("results that name their function", () => {
    const [, , sent] = messages([hi, assistant(call("a", {}, "Read")), user(result("a"))], {
      toolMessageName: true,
    })
    expect(sent).toEqual({ role: "tool", tool_call_id: "a", content: "done", name: "Read" })
  })

  test("ids are unique in the whole conversation", () => {
    const turn = [assistant(call("call_0")), user(result("call_0"))]
    const ids = messages([hi, ...turn, ...turn], {}).flatMap((message) =>
      message.role === "tool"
        ? [message.tool_call_id]
        : message.role === "assistant"
          ? (message.tool_calls ?? []).map(({ id }) => id)
          : [],
    )
    expect(ids.length).toBe(4)
    expect([ids[0] === ids[1], ids[2] === ids[3], ids[0] === ids[2]]).toEqual([true, true, false])
  })
})

describe("tools", () => {
  const many = Array.from({ length: 5 }, (_, index) => tool(`t${index}`))

  test("no more than the provider takes, with the one that is wanted among them", () => {
    const conversion = convert(
      ask([hi], { tools: many, tool_choice: { type: "tool", name: "t4" } }),
      generic,
      { maxTools: 3 },
    )
    expect([...conversion.offered]).toEqual(["t0", "t1", "t4"])
    expect(noteLines(conversion)).toEqual(["dropped tools"])
    expect([...convert(ask([hi], { tools: many }), generic, { maxTools: 5 }).offered].length).toBe(5)
  })

  test("offered for the history's sake", () => {
    const history = [hi, assistant(call("a", {}, "Read")), user(result("a"))]
    const { body } = convert(ask(history), generic, { toolsForHistory: true })
    expect([body.tools?.map((sent) => sent.function?.name), body.tool_choice]).toEqual([["Read"], "none"])
    expect(convert(ask([hi]), generic, { toolsForHistory: true }).body.tools).toBe(undefined)
  })

  test("one call at a time, under the provider's name for it", () => {
    const choice = { type: "auto", disable_parallel_tool_use: true }
    const { body } = convert(ask([hi], { tools: many, tool_choice: choice }), generic, {
      parallelField: "parallel_function_calling",
    })
    expect([body.parallel_tool_calls, body.parallel_function_calling]).toEqual([undefined, false])
  })

  test("arguments as they are written, where that has to be asked for", () => {
    const asked = (more: Readonly<Record<string, unknown>>) =>
      convert(ask([hi], more), generic, { toolStream: true }).body.tool_stream
    expect([asked({ tools: many, stream: true }), asked({ tools: many }), asked({ stream: true })]).toEqual([
      true,
      undefined,
      undefined,
    ])
  })
})

describe("streaming", () => {
  test.each<["any" | "never" | "always", boolean, true | undefined]>([
    ["any", true, true],
    ["any", false, undefined],
    ["never", true, undefined],
    ["always", false, true],
  ])("%s, asked with stream: %p", (streams, stream, expected) => {
    expect(convert(ask([hi], { stream }), generic, { streams }).body.stream).toBe(expected)
  })
})

describe("how a beginning of the answer is sent", () => {
  const begun = assistant(text("The answer is  "))
  const trimmed = { role: "assistant", content: "The answer is" }
  const sent = (prefill: ProfileDelta["prefill"] & string) => convert(ask([hi, begun]), generic, { prefill })

  test.each<[ProfileDelta["prefill"] & string, object, object, string]>([
    ["assistant", trimmed, {}, ""],
    ["prefix", { ...trimmed, prefix: true }, {}, "The answer is"],
    ["partial", { ...trimmed, partial: true }, {}, ""],
    ["continue-final", trimmed, { continue_final_message: true, add_generation_prompt: false }, ""],
  ])("%s", (prefill, last, fields, repeats) => {
    const conversion = sent(prefill)
    expect(conversion.body.messages.at(-1)).toEqual(last as never)
    expect(conversion.body).toMatchObject(fields)
    expect(conversion.repeats).toBe(repeats)
  })

  test("as an instruction", () => {
    const conversion = sent("instruction")
    expect(conversion.body.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"])
    expect([conversion.repeats, noteLines(conversion)]).toEqual(["The answer is", ["changed messages"]])
  })

  test("a turn that ends in calls is no beginning", () => {
    const conversion = convert(ask([hi, assistant(text("x"), call("a"))]), generic)
    expect(conversion.body.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"])
  })
})

describe("marks for the provider's cache", () => {
  const mark = { cache_control: { type: "ephemeral" } }
  const marked = user({ ...text("first"), ...mark }, png)

  test("at the end of the system prompt and of the last two turns", () => {
    const history = [
      marked,
      assistant(call("a")),
      user(result("a")),
      assistant(text("ok")),
      user(text("more")),
    ]
    const sent = messages(history, { cacheControl: true }, { system: "Be brief." })
    const part = (said: string) => ({ type: "text", text: said, ...mark })
    expect(sent).toMatchObject([
      { role: "system", content: [part("Be brief.")] },
      { role: "user", content: [{ type: "text", text: "first" }, pngPart] },
      { role: "assistant" },
      { role: "tool", content: [part("done")] },
      { role: "assistant", content: "ok" },
      { role: "user", content: [part("more")] },
    ])
  })

  test("the turn before ends where the last request ended, however many results this one has", () => {
    const history = [
      marked,
      assistant(call("a"), call("b"), call("c")),
      user(result("a"), result("b"), result("c")),
    ]
    const sent = messages(history, { cacheControl: true })
    expect(sent.map((message) => JSON.stringify(message).includes("cache_control"))).toEqual([
      ...[true, false, false, false, true],
    ])
  })

  const system = [{ ...text("Be brief."), ...mark }]
  const tools = [{ name: "t", input_schema: { type: "object" }, ...mark }]
  test.each<[string, object, readonly boolean[]]>([
    ["the system prompt", { system }, [true, false]],
    ["a tool", { system: "Be brief.", tools }, [true, false]],
    ["the request as a whole", { system: "Be brief.", ...mark }, [true, true]],
    ["nothing", { system: "Be brief.", cache_control: null }, [false, false]],
  ])("where %s is marked", (_, more, places) => {
    const sent = messages([hi], { cacheControl: true }, more)
    expect(sent.map((message) => JSON.stringify(message).includes("cache_control"))).toEqual([...places])
  })

  test("only for who marks something, and only where they are known", () => {
    expect(messages([hi], { cacheControl: true })).toEqual([said("hi")])
    expect(JSON.stringify(messages([marked], {}))).not.toContain("cache_control")
  })
})

test("what a provider always gets stands in every body", () => {
  expect(convert(ask([hi]), ["minimax", "MiniMax-M3"]).body).toMatchObject({ reasoning_split: true })
})
