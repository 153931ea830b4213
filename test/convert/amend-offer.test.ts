// Refusals of how many tools are offered, how much is said of them, and how many calls one turn makes.
import { describe, expect, test } from "bun:test"
import { amend } from "../../src/convert/amend/amend.ts"
import { type Amendment, applyAmendment } from "../../src/convert/amend/amendments.ts"
import type { Conversion } from "../../src/convert/request/request.ts"
import { ask, assistant, call, convert, generic, result, text, user } from "./request-support.ts"

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...{ name: `t${index}`, description: "does something", input_schema: { type: "object" } },
  }))

const offering = (count: number, more = {}) =>
  convert(ask([user(text("hi"))], { tools: numbered(count), ...more }), generic)

function heal(before: Conversion, message: string, status = 400) {
  return amend(before, { status, message: `[x] ${message}`, param: undefined, inputTokens: () => 1_000 })
}

function healed(before: Conversion, message: string, expected: Amendment, status = 400): Conversion {
  const after = heal(before, message, status)
  expect(after?.amendment).toEqual(expected)
  expect(after?.notes.length).toBeGreaterThan(0)
  if (after === undefined) throw new Error("nothing was amended")
  expect(applyAmendment(after.conversion, expected)).toBeUndefined()
  return after.conversion
}

const namesOf = ({ body }: Conversion) => body.tools?.map((tool) => tool.function?.name)

describe("more tools than are taken", () => {
  // musistudio/claude-code-router#686, anomalyco/opencode#4909; Groq; pydantic; a relay; OpenAI, of functions.
  test.each([
    "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 150 instead.",
    "Invalid 'tools': array too long. Expected at most 128 elements.",
    "'tools' : maximum number of items is 128",
    "'tools': the maximum length is 128",
    "body.tools: List should have at most 128 items after validation, not 150",
    "Too many tools. The maximum number of tools is 128, but 150 were provided.",
    "You may not provide more than 128 functions.",
  ])("%s", (said) => {
    const after = healed(offering(150), said, { kind: "tools", most: 128 })
    expect(namesOf(after)).toEqual(numbered(128).map(({ name }) => name))
  })

  test("the one that is insisted on stays", () => {
    const before = offering(20, { tool_choice: { type: "tool", name: "t19" } })
    const after = healed(before, "'tools' : maximum number of items is 10", { kind: "tools", most: 10 })
    expect(namesOf(after)).toEqual([...numbered(9).map(({ name }) => name), "t19"])
  })

  test.each([
    "Invalid 'tools': array too long. Expected an array with maximum length 200, but got an array with length 150.",
    "Invalid 'tools[3].function.parameters': maximum nesting of 10 exceeded",
    "tools.7.function.name: must be at most 64 characters",
    "tools: at most 2 images are taken",
    "Invalid tools: nesting depth exceeds the limit of 10 levels",
    "The tools exceed the maximum nesting depth of 10",
    "tools: at most 100 characters of description each, and a maximum schema depth of 10",
    "Functions may have up to a total of properties of 100",
    "parallel_tool_calls: at most 16 tools can be called in parallel",
    "The maximum number of tools that one turn may call is 16",
    "The functions have too many properties: the maximum is 100",
    "tools: the limit is 60 calls per minute",
  ])("nothing is left out after: %s", (said) => {
    expect(heal(offering(150), said)).toBeUndefined()
  })
})

test("descriptions that are too long are cut (OpenHands/OpenHands#4838, dnakov/anon-kode#45)", () => {
  const tools = [
    { name: "Bash", description: "x".repeat(5_000), input_schema: { type: "object" } },
    { name: "Read", description: "reads", input_schema: { type: "object" } },
  ]
  const before = convert(ask([user(text("hi"))], { tools }), generic)
  const said =
    "Invalid 'tools[0].function.description': string too long. Expected a string with maximum length 1024, but got a string with length 5000 instead."
  const after = healed(before, said, { kind: "descriptions", most: 1_024 })
  const said0 = after.body.tools?.map((tool) => (tool.type === "function" ? tool.function.description : ""))
  expect(said0).toEqual([`${"x".repeat(1_023)}…`, "reads"])
})

const called = [
  user(text("go")),
  assistant(text("two"), call("c1"), call("c2")),
  user(result("c1", "one"), result("c2", "other"), text("and?")),
]

describe("tools of the past", () => {
  const before = convert(ask(called), generic)

  test.each([
    ["The toolConfig field must be defined when using toolUse and toolResult content blocks.", false],
    [
      "litellm.UnsupportedParamsError: Bedrock doesn't support tool calling without `tools=` param specified. Pass `tools=` param OR set `litellm.modify_params = True`",
      false,
    ],
    ["Requests which include `tool_use` or `tool_result` blocks must define `tools`.", true],
  ])("%s", (said, choice) => {
    const { body } = healed(before, said, { kind: "past-tools", choice })
    expect(body.tools?.map((tool) => tool.function?.name)).toEqual(["Bash"])
    expect(body.tool_choice).toBe(choice ? "none" : undefined)
  })

  test("of a conversation without calls there are none", () => {
    const said = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    expect(heal(convert(ask([user(text("hi"))]), generic), said)).toBeUndefined()
  })
})

test.each([400, 500])("calls one after the other (vllm-project/vllm#12937): %d", (status) => {
  const said = "This model only supports single tool-calls at once!"
  const { body } = healed(convert(ask(called), generic), said, { kind: "single" }, status)
  const told = body.messages.map((message) =>
    message.role === "assistant"
      ? [message.content, message.tool_calls?.map(({ id }) => id)]
      : message.role === "tool"
        ? [message.content, message.tool_call_id]
        : message.content,
  )
  expect(told).toEqual(["go", ["two", ["c1"]], ["one", "c1"], [null, ["c2"]], ["other", "c2"], "and?"])
})

test("a reply in one piece, where tools are not streamed (earendil-works/pi#3739)", () => {
  const before = offering(2, { stream: true })
  const after = healed(before, "This model doesn't support tool use in streaming mode.", {
    ...{ kind: "drop", fields: ["stream", "stream_options"] },
  })
  expect(after.body.stream).toBeUndefined()
})

const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } }
const seen = [user(text("a"), picture), assistant(call("c1")), user(result("c1", "b"))]

test.each(['can only concatenate str (not "list") to str', "invalid message content type: []interface {}"])(
  "content is text after: %s",
  (said) => {
    const { body } = healed(convert(ask(seen), generic), said, { kind: "text" })
    expect(body.messages.map(({ content }) => typeof content)).toEqual(["string", "string", "string"])
  },
)

test.each([
  'can only concatenate str (not "NoneType") to str',
  "invalid message content type: <nil>",
  "messages[2]: missing field `content` at line 1 column 500",
  "messages[1]: invalid type: null, expected a string at line 1 column 500",
  "messages.1.content: none is not an allowed value",
  "Type mismatch of '/messages/1/content', 'null' not in 'string'",
  "Invalid value for 'content': expected a string, got null.",
  "Missing 'content' in message",
])("content is empty, and no list of parts becomes text after: %s", (said) => {
  const before = convert(ask(seen), generic)
  const after = healed(before, said, { kind: "absent" })
  expect(after.body.messages.map(({ content }) => content)).toEqual([
    before.body.messages[0]?.content ?? null,
    ...["", "b"],
  ])
  // Refused again, it was something else of the content.
  expect(heal(after, said)?.amendment).toEqual({ kind: "text" })
})

test("the user's turn that has to be the first (get-convex/agent#309)", () => {
  const said =
    "A conversation must start with a user message. Try again with a conversation that starts with a user message."
  const cut = ask(called).messages.slice(1)
  const given = convert({ ...ask(called), messages: cut }, generic)
  const { body } = healed(given, said, { kind: "opening" }, 400)
  const first = body.messages.findIndex(({ role }) => role !== "system")
  expect(body.messages.slice(first, first + 2).map(({ role }) => role)).toEqual(["user", "assistant"])
  expect(body.messages.toSpliced(first, 1)).toEqual([...given.body.messages])
  // Where the user is the first it says nothing that could be mended here.
  expect(heal(convert(ask(called), generic), said)).toBeUndefined()
})
