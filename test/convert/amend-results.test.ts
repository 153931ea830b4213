// The request that is sent after a refusal, part for part; what must not be touched; and words that want to do harm.
import { describe, expect, test } from "bun:test"
import { amend, type Refusal } from "../../src/convert/amend/amend.ts"
import { optionalFields } from "../../src/convert/amend/amend-fields.ts"
import { messageMembers } from "../../src/convert/amend/amend-messages.ts"
import { schemaKeywords } from "../../src/convert/amend/amend-schema.ts"
import { describeAmendment, readAmendment } from "../../src/convert/amend/amendment-json.ts"
import { type Amendment, applyAmendment, causeOf, isLasting } from "../../src/convert/amend/amendments.ts"
import { bodyOf } from "../../src/convert/request/body-of.ts"
import type { Conversion } from "../../src/convert/request/request.ts"
import type { ChatRequest } from "../../src/protocol/chat/chat.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { property } from "../support/random.ts"
import {
  ask,
  assistant,
  call,
  convert,
  generic,
  png,
  pngPart,
  result,
  text,
  user,
} from "./request-support.ts"

const refusal = (message: string, more: Partial<Refusal> = {}): Refusal => ({
  ...{ status: 400, message: `[x] ${message}`, param: undefined, inputTokens: () => 1_000 },
  ...more,
})

const schema = {
  type: "object",
  properties: {
    limit: { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 10 },
    ratio: { type: "number", exclusiveMinimum: 0 },
    pattern: { type: "string", pattern: "^a", description: "format of the pattern" },
    kind: { const: "x" },
    either: {
      oneOf: [
        { type: "string", format: "uri" },
        { type: "array", items: { const: 1 } },
      ],
    },
    default: { type: "object", additionalProperties: { type: "string", format: "date" } },
  },
  required: ["limit"],
  additionalProperties: false,
}
const tools = [
  { name: "Grep", input_schema: schema },
  { name: "Bash", input_schema: { type: "object", properties: {} } },
]
const parametersOf = ({ body }: Conversion): unknown => objectOf(body.tools?.[0]?.function)["parameters"]
const withTools = convert(ask([user(text("hi"))], { tools, tool_choice: { type: "any" } }), generic)

function changed(before: Conversion, amendment: Amendment): Conversion {
  const after = applyAmendment(before, amendment)
  if (after === undefined) throw new Error("nothing was changed")
  return after.conversion
}

describe("schemas", () => {
  test("lose exactly the keywords, say the same in others where they can, and keep properties of those names", () => {
    const names = ["exclusiveMinimum", "exclusiveMaximum", "const", "oneOf", "pattern", "default", "format"]
    const { properties, ...rest } = objectOf(parametersOf(changed(withTools, { kind: "keywords", names })))
    expect(rest).toEqual({ type: "object", required: ["limit"], additionalProperties: false })
    expect(properties).toEqual({
      limit: { type: "integer", minimum: 1, maximum: 9 },
      ratio: { type: "number", minimum: 0 },
      pattern: { type: "string", description: "format of the pattern" },
      kind: { enum: ["x"] },
      either: { anyOf: [{ type: "string" }, { type: "array", items: { enum: [1] } }] },
      default: { type: "object", properties: {}, additionalProperties: { type: "string" } },
    })
  })

  test("say nothing in a keyword that is refused too, or is there already", () => {
    const names = [
      "exclusiveMinimum",
      "minimum",
      "exclusiveMaximum",
      "maximum",
      "const",
      "enum",
      "oneOf",
      "anyOf",
    ]
    const { properties } = objectOf(parametersOf(changed(withTools, { kind: "keywords", names })))
    expect(properties).toMatchObject({
      limit: { type: "integer" },
      ratio: { type: "number" },
      kind: {},
      either: {},
    })
    expect(JSON.stringify(properties)).not.toMatch(/minimum|maximum|enum|anyOf|const|oneOf/)
  })

  test("of structured output lose them too, and the client's own still judges replies", () => {
    const format = { format: { type: "json_schema", schema } }
    const before = convert(ask([user(text("hi"))], { tools, output_config: format }), generic)
    const after = changed(before, { kind: "keywords", names: ["exclusiveMinimum"] })
    expect(JSON.stringify(after.body.response_format)).not.toContain("exclusiveMinimum")
    expect(after.schemas).toBe(before.schemas)
    expect(JSON.stringify(after.schemas.get("Grep"))).toContain("exclusiveMinimum")
  })

  test("a grammar that fails: what it cannot have goes; then every bound; then the schema of the reply", () => {
    const format = { format: { type: "json_schema", schema } }
    let now = convert(ask([user(text("hi"))], { output_config: format }), generic)
    const kinds: string[] = []
    for (;;) {
      const after = amend(now, refusal("failed to parse grammar"))
      if (after === undefined) break
      kinds.push(causeOf(after.amendment).split(" ", 2).join(" "))
      now = after.conversion
    }
    expect(kinds.map((kind) => kind.replace(/^keywords .*/, "keywords"))).toEqual([
      "schema llama",
      "keywords",
      "format none",
    ])
  })

  test("that nobody named are left alone", () => {
    for (const said of [
      "Invalid schema for function 'Grep': In context=('properties', 'pattern'), property 'temperature' is not supported",
      "tools[0].function.parameters is not valid",
      "Too many tools: at most 128",
      "tools.0.custom.input_schema: unknown key 'stop'",
      "This model does not support tools",
      "No endpoints found that support tool use.",
      "tools: Extra inputs are not permitted",
    ])
      expect([said, amend(withTools, refusal(said))?.amendment]).toEqual([said, undefined])
  })
})

describe("the system prompt", () => {
  const before = convert(
    ask([user(text("one")), assistant(text("two")), user(text("three"))], { system: "Be kind." }),
    generic,
  )

  test("goes before the user's first words where there is no such role", () => {
    const after = changed(before, { kind: "role", from: "system", to: "user" })
    expect(after.body.messages).toEqual([
      { role: "user", content: "Be kind.\n\none" },
      { role: "assistant", content: "two" },
      { role: "user", content: "three" },
    ])
    expect(after.formatFallback).toBe(before.formatFallback)
  })

  test("keeps an image beside it", () => {
    const pictured = convert(ask([user(text("one"), png)], { system: "Be kind." }), generic)
    expect(changed(pictured, { kind: "role", from: "system", to: "user" }).body.messages).toEqual<unknown>([
      { role: "user", content: [{ type: "text", text: "Be kind." }, { type: "text", text: "one" }, pngPart] },
    ])
  })

  test("has the other name, also for what is said later in its name", () => {
    const format = { format: { type: "json_schema", schema } }
    const asked = convert(ask([user(text("one"))], { system: "Be kind.", output_config: format }), [
      "openai",
      "gpt-5",
    ])
    const renamed = changed(asked, { kind: "role", from: "developer", to: "system" })
    expect(renamed.body.messages[0]).toEqual({ role: "system", content: "Be kind." })
    expect(renamed.formatFallback?.role).toBe("system")
  })
})

test("images become words, wherever they stand, and text stays as it was", () => {
  const before = convert(
    ask([user(text("look"), png), assistant(call("c1")), user(result("c1", [text("shot"), png]))]),
    generic,
  )
  const omitted = "[image omitted: this model cannot see images]"
  const after = amend(before, refusal("this model does not support image input"))
  expect(after?.conversion.body.messages).toEqual([
    { role: "user", content: `look\n\n${omitted}` },
    expect.objectContaining({ role: "assistant" }),
    { role: "tool", tool_call_id: "c1", content: "shot" },
    { role: "user", content: `Attached from the result of Bash:\n\n${omitted}` },
  ])
  expect(after?.notes).toEqual([
    { kind: "changed", path: "messages.content", why: "left out: images are refused here" },
  ])
})

test("only addresses of images go where data is taken", () => {
  const remote = { type: "image", source: { type: "url", url: "https://host.example/a.png" } }
  const before = convert(ask([user(png, remote)]), generic)
  const after = amend(before, refusal("image URLs are not supported, send base64 data"))
  expect(after?.conversion.body.messages).toEqual<unknown>([
    {
      role: "user",
      content: [pngPart, { type: "text", text: "[image omitted: this provider takes images only as data]" }],
    },
  ])
})

describe("a forced call", () => {
  const forced = (choice: ChatRequest["tool_choice"], more: Partial<ChatRequest> = {}): Conversion => ({
    ...withTools,
    body: { ...withTools.body, ...(choice === undefined ? {} : { tool_choice: choice }), ...more },
  })
  const byName = { type: "function", function: { name: "Bash" } } as const

  test("by name, where only any call can be forced: that tool alone", () => {
    const after = changed(forced(byName), { kind: "choice", to: "required", whileThinking: false })
    expect(after.body.tool_choice).toBe("required")
    expect(after.body.tools?.map((tool) => tool.function?.name)).toEqual(["Bash"])
  })

  test("switches thinking off where the request says that it is on, whatever the switch", () => {
    for (const [on, off] of [
      [{ thinking: { type: "enabled" }, reasoning_effort: "high" }, { thinking: { type: "disabled" } }],
      [{ enable_thinking: true, thinking_budget: 4_096 }, { enable_thinking: false }],
      [{ reasoning: { effort: "high" } }, { reasoning: { enabled: false } }],
      [
        { chat_template_kwargs: { enable_thinking: true } },
        { chat_template_kwargs: { enable_thinking: false } },
      ],
    ] as const satisfies readonly (readonly [Partial<ChatRequest>, Partial<ChatRequest>])[]) {
      const { body } = changed(forced("required", on), { kind: "unthinking" })
      expect(body).toEqual({ ...forced("required").body, ...off })
      expect(applyAmendment(forced("auto", on), { kind: "unthinking" })).toBeUndefined()
    }
  })

  test("stays where the model does not think, and is never made of a wish for none", () => {
    const free: Amendment = { kind: "choice", to: "auto", whileThinking: true }
    expect(applyAmendment(forced("required", { thinking: { type: "disabled" } }), free)).toBeUndefined()
    expect(applyAmendment(forced("none"), free)).toBeUndefined()
    expect(applyAmendment(forced("none"), { ...free, whileThinking: false })).toBeUndefined()
    const said = refusal("tool_choice 'none' is not supported")
    expect(amend(forced("none"), said)).toBeUndefined()
  })

  test.each([
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    "Tool choice 'Bash' not found in 'tools' parameter",
    "Invalid user message: 'tool_choice is not supported'",
  ])("not after: %s", (said) => {
    expect(amend(forced("required"), refusal(said))).toBeUndefined()
  })
})

test("calls without tools: those that were called are offered, once each, and nothing is said of a choice", () => {
  const calls = [assistant(call("c1")), user(result("c1")), assistant(call("c2")), user(result("c2"))]
  const { body } = changed(convert(ask([user(text("hi")), ...calls]), generic), {
    ...{ kind: "past-tools", choice: false },
  })
  expect(body.tools).toEqual([
    {
      type: "function",
      function: {
        ...{ name: "Bash", description: "No longer available." },
        parameters: { type: "object", properties: {} },
      },
    },
  ])
  expect(body.tool_choice).toBeUndefined()
  for (const other of [withTools, convert(ask([user(text("hi"))]), generic)])
    expect(applyAmendment(other, { kind: "past-tools", choice: false })).toBeUndefined()
})

describe("messages", () => {
  const thought = convert(ask([user(text("a")), assistant(text("b")), user(text("c"), png)]), generic)
  const [first, second, third] = thought.body.messages
  const before: Conversion = {
    ...thought,
    body: {
      ...thought.body,
      messages: [
        ...(first === undefined ? [] : [first]),
        { ...objectOf(second), role: "assistant", content: "b", reasoning_content: "hm" },
        ...(third === undefined ? [] : [third]),
      ],
    },
  }

  test.each([
    "The reasoning_content in the thinking mode must be passed back to the API.",
    "messages.1: reasoning_content is required",
    "messages: text content blocks must be non-empty",
    "messages[2].content[1].image_url: Image is too large: unsupported image size",
    "Invalid image: failed to decode base64",
    "Unsupported image format: webp",
    "You uploaded an unsupported image. Please make sure your image is valid.",
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
    "too many images: image input is not supported beyond 5",
    "User message: 'images are not supported'",
    "messages.2.content.0.text: tool said: image input is not supported is what I wrote: 'role system is not supported'".replace(
      "image input is not supported is",
      "nothing is",
    ),
  ])("are left alone after: %s", (said) => {
    const after = amend(before, refusal(said))
    expect(after === undefined ? undefined : after.amendment.kind).toBeUndefined()
  })
})

describe("the Responses API", () => {
  const target = ["openai", "gpt-5.6"] as const
  const before = convert(
    ask([user(text("look"), png)], {
      system: "Be kind.",
      tools,
      thinking: { type: "adaptive" },
      max_tokens: 5_000,
    }),
    target,
    { dialect: "responses" },
  )
  const sent = (given: Conversion) => objectOf(bodyOf(given))

  test.each<[string, string | undefined, Readonly<Record<string, unknown>>]>([
    [
      "Unsupported parameter: 'max_output_tokens' is not supported with this model.",
      "max_output_tokens",
      { max_output_tokens: undefined },
    ],
    [
      "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 4096, but got 5000 instead.",
      "max_output_tokens",
      { max_output_tokens: 4_096 },
    ],
    [
      "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
      "reasoning.effort",
      { reasoning: undefined },
    ],
    ["Unsupported parameter: 'prompt_cache_key'", "prompt_cache_key", {}],
  ])("%s", (said, param, expected) => {
    const after = amend(before, refusal(said, { param }))
    if (Object.keys(expected).length > 0 && after === undefined) throw new Error("nothing was amended")
    expect(sent(after?.conversion ?? before)).toMatchObject(
      Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== undefined)),
    )
    for (const [field, value] of Object.entries(expected))
      if (value === undefined) expect(sent(after?.conversion ?? before)).not.toHaveProperty(field)
  })

  test("images become words", () => {
    const after = amend(
      before,
      refusal("Invalid value: 'input_image'. Supported values are: 'input_text'.", {
        param: "input[0].content[1].type",
      }),
    )
    expect(JSON.stringify(sent(after?.conversion ?? before)["input"])).toContain(
      "[image omitted: this model cannot see images]",
    )
    expect(JSON.stringify(sent(after?.conversion ?? before))).not.toContain("iVBOR")
  })

  test("schemas and their strictness", () => {
    const after = amend(
      before,
      refusal("Invalid schema for function 'Grep': In context=(), 'additionalProperties' is not permitted.", {
        param: "tools[0].parameters",
      }),
    )
    expect(after?.amendment).toEqual({ kind: "keywords", names: ["additionalProperties"] })
    expect(JSON.stringify(sent(after?.conversion ?? before)["tools"])).not.toContain("additionalProperties")
  })
})

const lasting: readonly Amendment[] = [
  ...([{ kind: "summary" }, { kind: "encrypted" }, { kind: "text" }, { kind: "no-limit" }] as const),
  ...([{ kind: "stream" }, { kind: "always-thinks" }, { kind: "unthinking" }, { kind: "strict" }] as const),
  { kind: "role", from: "system", to: "user" },
  { kind: "opening" },
  { kind: "between" },
  { kind: "single" },
  { kind: "absent" },
  { kind: "tools", most: 128 },
  { kind: "descriptions", most: 1_024 },
  { kind: "past-tools", choice: true },
  { kind: "reasoning", on: "all" },
  { kind: "reasoning", on: "calls" },
  { kind: "reasoning", on: "signatures" },
  { kind: "reasoning", on: "blocks" },
  { kind: "media", what: "image-url" },
  { kind: "members", names: [...messageMembers] },
  { kind: "limit", most: 8_192 },
  { kind: "least", least: 16 },
  { kind: "stops", most: 4 },
  { kind: "rename", to: "max_completion_tokens" },
  { kind: "range", field: "temperature", least: 0.01, most: null },
  { kind: "format", to: "json_object", lasting: true },
  { kind: "effort", taken: ["low", "default"], withTools: true },
  { kind: "choice", to: "any", whileThinking: false },
  { kind: "keywords", names: [...schemaKeywords] },
  { kind: "schema", rules: "llama" },
  { kind: "member", field: "thinking", name: "keep" },
  { kind: "drop", fields: [...optionalFields] },
]

describe("what is kept", () => {
  test.each(lasting.map((amendment) => [amendment.kind, amendment] as const))(
    "%s is read back",
    (_kind, amendment) => {
      expect(isLasting(amendment)).toBe(true)
      expect(readAmendment(JSON.parse(JSON.stringify(amendment)))).toEqual(amendment)
      expect(describeAmendment(amendment)).toMatch(/^[\w][^\n]{5,600}$/)
    },
  )

  test.each(
    [
      null,
      [],
      "drop",
      {},
      { kind: "toString" },
      { kind: "__proto__" },
      { kind: "room", tokens: 3 },
      { kind: "forget" },
      { kind: "format", to: "none", lasting: false },
      { kind: "drop", fields: ["messages"] },
      { kind: "drop", fields: ["temperature", "tools"] },
      { kind: "drop", fields: [] },
      { kind: "limit", most: "8192" },
      { kind: "limit", most: -1 },
      { kind: "limit", most: null },
      { kind: "keywords", names: ["properties"] },
      { kind: "role", from: "user", to: "system" },
      { kind: "from a later version" },
    ].map((value) => [value] as const),
  )("%j is nothing", (value) => {
    expect(readAmendment(value)).toBeUndefined()
  })
})

const everything = convert(
  ask(
    [
      user(text("look"), png),
      assistant(text("so"), call("c1")),
      user(result("c1")),
      assistant(text("b")),
      user(text("go on")),
    ],
    {
      ...{ system: "Be kind.", tools, tool_choice: { type: "any" }, temperature: 1, stop_sequences: ["x"] },
      output_config: { format: { type: "json_schema", schema } },
    },
  ),
  generic,
)

const pieces = [
  ...optionalFields,
  ...schemaKeywords,
  ...messageMembers,
  ...[
    "max_tokens",
    "max_completion_tokens",
    "messages",
    "tools",
    "tool_choice",
    "model",
    "response_format",
    "strict",
  ],
  ...[
    "system",
    "developer",
    "user",
    "role",
    "image_url",
    "image",
    "file",
    "content",
    "schema",
    "grammar",
    "failed to parse",
  ],
  ...[
    "Unknown name",
    "'messages[0].role'",
    "tools[0].function_declarations[0].parameters",
    "at",
    "Cannot find field.",
  ],
  ...[
    "is not supported",
    "not permitted",
    "Extra inputs are not permitted",
    "must be",
    "one of",
    "[",
    "1, 4096]",
    "(0, 1)",
  ],
  ...[
    "<= 3",
    ">= 5",
    "between 1 and 2",
    "both",
    "mutually exclusive",
    "is not one of",
    "unknown variant",
    "expected",
  ],
  ...[
    "thinking mode",
    "does not support",
    "none",
    "low",
    ":",
    ";",
    ". ",
    "\n",
    '"',
    "'",
    "`",
    "{",
    "}",
    "\u0000",
    "\ud800",
  ],
]

property(
  "no words take anybody's words away, and every request ends after a few changes",
  3_000,
  (random) => {
    const message = Array.from({ length: random.integer(1, 14) }, () => random.pick(pieces)).join(
      random.pick([" ", ""]),
    )
    const param = random.pick([
      undefined,
      undefined,
      random.pick(pieces),
      "messages[0].role",
      "tools[0].function.parameters",
    ])
    const status = random.pick([400, 422, 404, 500])
    let now = everything
    const causes = new Set<string>()
    for (let turn = 0; turn < 30; turn += 1) {
      const after = amend(now, refusal(message, { param, status, body: message }))
      if (after === undefined || causes.has(causeOf(after.amendment))) break
      causes.add(causeOf(after.amendment))
      expect(after.notes.length).toBeGreaterThan(0)
      expect(applyAmendment(after.conversion, after.amendment)).toBeUndefined()
      now = after.conversion
    }
    expect(causes.size).toBeLessThan(20)
    const { model, tools: offered, messages } = now.body
    expect(model).toBe(everything.body.model)
    expect(offered?.map((tool) => tool.function?.name)).toEqual(
      everything.body.tools?.map((tool) => tool.function?.name),
    )
    const words = JSON.stringify(messages)
    for (const said of ["look", "so", "go on", "Be kind.", "c1"]) expect(words).toContain(said)
  },
)

test("a hostile reply costs no time", () => {
  for (const piece of [
    ...pieces,
    'Unknown name "a" at \'',
    "messages[0].a.",
    "role: ",
    "image ",
    "content ",
    "a, ",
    "x and ",
    "['a', ",
    "(1",
  ]) {
    const message = piece.repeat(Math.ceil(200_000 / piece.length))
    const started = performance.now()
    amend(everything, refusal(message, { param: message, body: message }))
    const taken = performance.now() - started
    expect([piece, taken < 1_000]).toEqual([piece, true])
  }
})
