import { expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { begin, write } from "../../src/convert/writer/blocks.ts"
import { initialWriter } from "../../src/convert/writer/writer-state.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { splitMember } from "../../src/protocol/messages/toolsets.ts"
import { ask, convert, text, user } from "./request-support.ts"

const convertWith = (tools: readonly object[], messages: readonly object[] = [user(text("hi"))]) =>
  convert(ask(messages, { tools }))

const members = (tools: readonly object[]) =>
  [...convertWith(tools).offered].map((name) => splitMember(name)?.member ?? name)

const computer = "computer_toolset_20260801"
const browser = "browser_toolset_20260801"

test("a toolset is all its members, but for those that have to be asked for", () => {
  expect(members([{ type: computer }])).toHaveLength(17)
  const offered = members([{ type: browser }])
  expect(offered).toHaveLength(27)
  for (const name of ["file_upload", "read_console", "read_network", "javascript_exec"])
    expect(offered).not.toContain(name)
})

test("configs say which members there are", () => {
  const configs = {
    zoom: { enabled: false },
    key: { enabled: null },
    wait: null,
    javascript_exec: { enabled: true },
  }
  const offered = members([{ type: browser, configs }])
  expect(offered).toHaveLength(27)
  expect(offered).not.toContain("zoom")
  expect(offered).toEqual(expect.arrayContaining(["key", "wait", "javascript_exec"]))
})

test("names of both families and of the client's own tools never meet, and upstreams take them", () => {
  const own = { name: "left_click", input_schema: { type: "object" } }
  const { body, toolNames, notes } = convertWith([{ type: computer }, { type: browser }, own])
  const names = (body.tools ?? []).map((tool) => (tool.type === "function" ? tool.function.name : ""))
  expect(names).toHaveLength(17 + 27 + 1)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
  expect([...toolNames.values()]).toEqual(
    expect.arrayContaining(["computer#left_click", "browser#left_click"]),
  )
  expect(notes).toEqual([])
})

test("a call of a member comes back under the name it was offered by", () => {
  const use = {
    type: "tool_use",
    id: "toolu_1",
    name: "left_click",
    toolset_name: "computer",
    input: { a: 1 },
  }
  const result = {
    type: "tool_result",
    tool_use_id: "toolu_1",
    toolset_name: "computer",
    content: "Clicked.",
  }
  const { body } = convertWith(
    [{ type: computer }],
    [user(text("hi")), { role: "assistant", content: [use] }, user(result)],
  )
  const offered = (body.tools ?? []).map((tool) => (tool.type === "function" ? tool.function.name : ""))
  const called = body.messages.flatMap((message) =>
    message.role === "assistant" ? (message.tool_calls ?? []).map((call) => call.function.name) : [],
  )
  expect(called).toHaveLength(1)
  expect(offered).toContain(called[0] ?? "")
})

const options = { id: "m", model: "x", provider: "p", upstreamModel: "x", inputTokens: 0, estimate: null }

test.each([
  ["computer#left_click", { name: "left_click", toolset_name: "computer" }],
  ["browser#find", { name: "find", toolset_name: "browser" }],
  ["browser.find", { name: "browser.find" }],
  ["mine#find", { name: "mine#find" }],
])("the call %s is told to the client as %j", (name, expected) => {
  const state = initialWriter(options)
  const out: MessagesEvent[] = [...begin(state)]
  write(state, { kind: "tool", key: 0, id: "toolu_1", name, args: "{}", complete: true }, out)
  write(state, { kind: "finish", reason: "tool_use", stopSequence: null }, out)
  write(state, { kind: "end", clean: true }, out)
  expect(foldEvents(out).reply?.content).toEqual([
    { type: "tool_use", id: "toolu_1", input: {}, ...expected },
  ])
})
