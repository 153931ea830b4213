// Tool calls in every shape they arrive in: ids, names, indexes and arguments, whole and in pieces.
import { describe, expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { toolInput } from "../../src/convert/tool-calls/json-scan.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import type { ReplyBlock } from "../../src/protocol/messages/messages.ts"
import {
  chatReply,
  deltaChunk,
  finishChunk,
  type ToolPiece,
  textChunk,
  toolChunk,
} from "../support/chunks.ts"
import { eventsOf, foldOf, inputs, play, renderEvents, replyEvents } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"

type Options = Parameters<typeof foldOf>[1]

/** The calls that come out of these fragments, one chunk each: name, id and input. */
function calls(pieces: readonly ToolPiece[], options: Options = {}): readonly unknown[] {
  return callsOf(pieces.map(toolChunk), options)
}

function callsOf(chunks: readonly unknown[], options: Options = {}): readonly unknown[] {
  const events = eventsOf([...chunks, finishChunk("tool_calls")], options)
  expect(checkGrammar(events)).toEqual([])
  const { reply } = foldOf([...chunks, finishChunk("tool_calls")], options)
  return (reply?.content ?? []).map(shortCall)
}

function shortCall(block: ReplyBlock): unknown {
  return block.type === "tool_use" ? [block.name, block.id, block.input] : block
}

const a = { a: 1 }
const b = { b: 2 }
const minted = (count: number) => `toolu_Seed0${count}`

describe("which call a fragment belongs to", () => {
  const cases: readonly (readonly [string, readonly ToolPiece[], readonly unknown[]])[] = [
    [
      "case 41: two parallel calls with alternating fragments",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: "" },
        { index: 1, id: "call_bbbb", name: "Bash", args: "" },
        { index: 0, args: '{"a"' },
        { index: 1, args: '{"b"' },
        { index: 0, args: ":1}" },
        { index: 1, args: ":2}" },
      ],
      [
        ["Read", "call_aaaa", a],
        ["Bash", "call_bbbb", b],
      ],
    ],
    [
      "case 41: the first call is complete while the second still comes, and a third waits",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: '{"a"' },
        { index: 1, id: "call_bbbb", name: "Bash", args: '{"b"' },
        { index: 2, id: "call_cccc", name: "Write", args: '{"a":1}' },
        { index: 0, args: ":1}" },
        { index: 1, args: ":2}" },
      ],
      [
        ["Read", "call_aaaa", a],
        ["Bash", "call_bbbb", b],
        ["Write", "call_cccc", a],
      ],
    ],
    [
      "case 42: no index, the same tool twice",
      [
        { name: "Read", args: '{"a":1}' },
        { name: "Read", args: '{"a":1}' },
      ],
      [
        ["Read", minted(0), a],
        ["Read", minted(1), a],
      ],
    ],
    [
      "case 42: no index, no arguments",
      [
        { name: "ListFiles", args: "{}" },
        { name: "ListFiles", args: "{}" },
        { name: "Read", args: '{"a":1}' },
      ],
      [
        ["ListFiles", minted(0), {}],
        ["ListFiles", minted(1), {}],
        ["Read", minted(2), a],
      ],
    ],
    [
      "no index, the arguments in pieces with the name in each",
      [
        { name: "Read", args: '{"a"' },
        { name: "Read", args: ":1}" },
        { name: "Bash", args: '{"b":2}' },
      ],
      [
        ["Read", minted(0), a],
        ["Bash", minted(1), b],
      ],
    ],
    [
      "no index, no arguments, then another tool",
      [{ name: "ListFiles" }, { name: "Read", args: '{"a":1}' }],
      [
        ["ListFiles", minted(0), {}],
        ["Read", minted(1), a],
      ],
    ],
    [
      "case 43: every call has index 0, the ids differ",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: '{"a":1}' },
        { index: 0, id: "call_bbbb", name: "Read", args: '{"b"' },
        { index: 0, args: ":2}" },
      ],
      [
        ["Read", "call_aaaa", a],
        ["Read", "call_bbbb", b],
      ],
    ],
    [
      "every call has index 0 and no id",
      [
        { index: 0, name: "Read", args: '{"a":1}' },
        { index: 0, name: "Bash", args: '{"b":2}' },
        { index: 0, name: "Bash", args: '{"a":1}' },
      ],
      [
        ["Read", minted(0), a],
        ["Bash", minted(1), b],
        ["Bash", minted(2), a],
      ],
    ],
    [
      "case 44: id and name in every chunk",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: "" },
        { index: 0, id: "call_aaaa", name: "Read", args: '{"a"' },
        { index: 0, id: "call_aaaa", name: "Read", args: ":1}" },
        { index: 0, id: "call_aaaa", name: "Read", args: "" },
      ],
      [["Read", "call_aaaa", a]],
    ],
    [
      "case 45: later fragments with empty id and name",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: "" },
        { index: 0, id: "", name: "", args: '{"a":1}' },
      ],
      [["Read", "call_aaaa", a]],
    ],
    [
      "LocalAI: another index for each thing that is known of one call",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: "" },
        { index: 1, id: "call_aaaa", name: "Read", args: '{"a"' },
        { index: 2, id: "call_aaaa", name: "Read", args: '{"a":1}' },
        { index: 3, id: "call_aaaa", name: "Bash", args: '{"b":2}' },
      ],
      [
        ["Read", "call_aaaa", a],
        ["Bash", minted(1), b],
      ],
    ],
    [
      "one id for all calls, which are named before their arguments come",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: "" },
        { index: 1, id: "call_aaaa", name: "Read", args: "" },
        { index: 0, args: '{"a":1}' },
        { index: 1, args: '{"b":2}' },
      ],
      [
        ["Read", "call_aaaa", a],
        ["Read", minted(1), b],
      ],
    ],
    [
      "one id for all calls, which have no arguments",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: "" },
        { index: 1, id: "call_aaaa", name: "Read", args: "" },
      ],
      [
        ["Read", "call_aaaa", {}],
        ["Read", minted(1), {}],
      ],
    ],
    [
      "a new id in every chunk",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: '{"a"' },
        { index: 0, id: "call_bbbb", args: ":1}" },
        { index: 0, id: "call_cccc", args: "" },
      ],
      [["Read", "call_aaaa", a]],
    ],
    [
      "a new id and the name in every chunk",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: "" },
        { index: 0, id: "call_bbbb", name: "Read", args: '{"a"' },
        { index: 0, id: "call_cccc", name: "Read", args: ":1}" },
        { index: 0, id: "call_dddd", name: "Read", args: '{"b":2}' },
      ],
      [
        ["Read", "call_aaaa", a],
        ["Read", "call_dddd", b],
      ],
    ],
    [
      "a new id and the name in every chunk, and a brace within the arguments",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: '{"a":{"b":' },
        { index: 0, id: "call_bbbb", name: "Read", args: '{"c":"if ' },
        { index: 0, id: "call_cccc", name: "Read", args: '{ x }"}}}' },
      ],
      [["Read", "call_aaaa", { a: { b: { c: "if { x }" } } }]],
    ],
    [
      "one id for all calls, told apart by index",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: '{"a"' },
        { index: 1, id: "call_aaaa", name: "Read", args: '{"b"' },
        { index: 0, id: "call_aaaa", name: "Read", args: ":1}" },
        { index: 1, id: "call_aaaa", name: "Read", args: ":2}" },
      ],
      [
        ["Read", "call_aaaa", a],
        ["Read", minted(1), b],
      ],
    ],
    [
      "one id for all calls, told apart by name",
      [
        { id: "call_aaaa", name: "Read", args: '{"a":1}' },
        { id: "call_aaaa", name: "Bash", args: '{"b":2}' },
      ],
      [
        ["Read", "call_aaaa", a],
        ["Bash", minted(1), b],
      ],
    ],
    [
      "the whole call again in the last chunk",
      [
        { index: 0, id: "call_aaaa", name: "Read", args: '{"a":1}' },
        { index: 0, id: "call_aaaa", name: "Read", args: '{"a":1}' },
      ],
      [["Read", "call_aaaa", a]],
    ],
    [
      "indexes that begin at 1, or are strings",
      [
        { index: 1, id: "call_aaaa", name: "Read" },
        { index: 1, args: '{"a":1}' },
      ],
      [["Read", "call_aaaa", a]],
    ],
    [
      "a call without arguments before one with them",
      [
        { index: 0, id: "call_aaaa", name: "ListFiles", args: "" },
        { index: 1, id: "call_bbbb", name: "Read", args: '{"a":1}' },
      ],
      [
        ["ListFiles", "call_aaaa", {}],
        ["Read", "call_bbbb", a],
      ],
    ],
    [
      "arguments of an earlier call that begin after those of a later one",
      [
        { index: 0, id: "call_aaaa", name: "Read" },
        { index: 1, id: "call_bbbb", name: "Bash" },
        { index: 1, args: '{"b":2}' },
        { index: 0, args: '{"a":1}' },
      ],
      [
        ["Read", "call_aaaa", a],
        ["Bash", "call_bbbb", b],
      ],
    ],
    [
      "one index for all and no id, the first call without arguments",
      [
        { index: 0, name: "ListFiles" },
        { index: 0, args: "" },
        { index: 0, name: "Read", args: '{"a":1}' },
      ],
      [
        ["ListFiles", minted(0), {}],
        ["Read", minted(1), a],
      ],
    ],
    [
      "one index for all and no id, tools that nobody offered",
      [
        { index: 0, name: "Nobody", args: '{"a":1}' },
        { index: 0, name: "Other", args: '{"b":2}' },
      ],
      [
        ["Nobody", minted(0), a],
        ["Other", minted(1), b],
      ],
    ],
  ]
  test.each(cases)("%s", (_name, pieces, expected) => {
    expect(calls(pieces)).toEqual(expected)
  })

  test("several whole calls in one chunk, without index", () => {
    const call = (name: string, args: string) => ({ function: { name, arguments: args } })
    const chunk = deltaChunk({
      tool_calls: [call("Read", ""), call("Read", '{"a":1}'), call("Read", '{"a":1}'), null, 3],
    })
    expect(callsOf([chunk])).toEqual([
      ["Read", minted(0), {}],
      ["Read", minted(1), a],
      ["Read", minted(2), a],
    ])
  })
})

describe("names", () => {
  const cases: readonly (readonly [string, readonly ToolPiece[], string])[] = [
    [
      "case 46: the arguments before the name",
      [
        { index: 0, args: '{"a"' },
        { index: 0, args: ":1}" },
        { index: 0, name: "Read" },
      ],
      "Read",
    ],
    [
      "case 46: the name in two pieces",
      [
        { index: 0, name: "Re" },
        { index: 0, name: "ad" },
        { index: 0, args: '{"a":1}' },
      ],
      "Read",
    ],
    [
      "the first piece of the name with the first of the arguments",
      [
        { index: 0, name: "Re", args: '{"a"' },
        { index: 0, name: "ad", args: ":1}" },
      ],
      "Read",
    ],
    ["the name in pieces without index", [{ name: "List" }, { name: "Files", args: '{"a":1}' }], "ListFiles"],
    [
      "a name that grows",
      [
        { index: 0, name: "Re" },
        { index: 0, name: "Read", args: '{"a":1}' },
      ],
      "Read",
    ],
    [
      "a name that is the beginning of another",
      [
        { index: 0, name: "Read" },
        { index: 0, name: "File", args: '{"a":1}' },
      ],
      "ReadFile",
    ],
    [
      "a name in every chunk",
      [
        { index: 0, name: "Bash" },
        { index: 0, name: "Bash", args: '{"a"' },
        { index: 0, name: "Bash", args: ":1}" },
      ],
      "Bash",
    ],
    ["white space around it", [{ index: 0, name: " Read\n", args: '{"a":1}' }], "Read"],
    ["a namespace before it", [{ index: 0, name: "functions.Read", args: '{"a":1}' }], "Read"],
    ["another namespace", [{ index: 0, name: "default_api:Read", args: '{"a":1}' }], "Read"],
    ["another case", [{ index: 0, name: "bash", args: '{"a":1}' }], "Bash"],
    ["another case behind a namespace", [{ index: 0, name: "functions.BASH", args: '{"a":1}' }], "Bash"],
    [
      "another case, in pieces that bring arguments",
      [
        { index: 0, name: "ba", args: '{"a"' },
        { index: 0, name: "sh", args: ":1}" },
      ],
      "Bash",
    ],
    [
      "another case, in every chunk",
      [
        { index: 0, name: "bash" },
        { index: 0, name: "bash", args: '{"a":1}' },
      ],
      "Bash",
    ],
    ["a token behind it", [{ index: 0, name: "Bash<|channel|>commentary", args: '{"a":1}' }], "Bash"],
    ["a header's word behind it", [{ index: 0, name: "functions.Bashjson", args: '{"a":1}' }], "Bash"],
    ["a name that nobody offered", [{ index: 0, name: "Nobody", args: '{"a":1}' }], "Nobody"],
    ["a name that is cut for good", [{ index: 0, name: "Rea", args: '{"a":1}' }], "Rea"],
  ]
  test.each(cases)("%s", (_name, pieces, name) => {
    expect(calls(pieces)).toEqual([[name, minted(0), a]])
  })

  test("a shortened name is restored", () => {
    const tools = {
      toolNames: new Map([["mcp_short", "mcp__server__long"]]),
      offered: new Set(["mcp__server__long"]),
    }
    expect(
      calls(
        [
          { index: 0, name: "mcp_", args: "" },
          { index: 0, name: "short", args: '{"a":1}' },
        ],
        { tools },
      ),
    ).toEqual([["mcp__server__long", minted(0), a]])
  })

  test("a name in another case is left alone where it could be either of two tools", () => {
    const tools = { toolNames: new Map<string, string>(), offered: new Set(["Read", "read"]) }
    const said = (name: string) => calls([{ index: 0, name, args: '{"a":1}' }], { tools })
    expect(said("READ")).toEqual([["READ", minted(0), a]])
    expect(said("read")).toEqual([["read", minted(0), a]])
  })

  test("a shortened name in another case is restored", () => {
    const tools = {
      toolNames: new Map([["mcp_short", "mcp__server__long"]]),
      offered: new Set(["mcp__server__long"]),
    }
    const said = calls([{ index: 0, name: "MCP_Short", args: '{"a":1}' }], { tools })
    expect(said).toEqual([["mcp__server__long", minted(0), a]])
  })

  test("a call without any name is dropped", () => {
    expect(
      calls([
        { index: 0, id: "call_aaaa", args: '{"a":1}' },
        { index: 1, name: "Read", args: '{"b":2}' },
      ]),
    ).toEqual([["Read", minted(1), b]])
  })
})

describe("ids", () => {
  const idOf = (id: string | undefined, options: Options = {}) =>
    callsOf(
      [deltaChunk({ tool_calls: [{ index: 0, id, function: { name: "Read", arguments: "{}" } }] })],
      options,
    )

  test("case 50: a missing id is minted, one that the conversation has used is replaced", () => {
    expect(idOf(undefined)).toEqual([["Read", minted(0), {}]])
    expect(idOf("call_used1")).toEqual([["Read", "call_used1", {}]])
    expect(idOf("call_used1", { tools: { seenIds: new Set(["call_used1"]) } })).toEqual([
      ["Read", minted(0), {}],
    ])
  })

  test("case 80: ids that Anthropic's clients would refuse, and short ones that start anew each time", () => {
    for (const id of ["functions.Bash:0", "call 1234", "call_0", "0", `call_${"x".repeat(200)}`]) {
      expect(idOf(id)).toEqual([["Read", minted(0), {}]])
    }
  })

  test("minted ids stay what they are while a call is not started yet", () => {
    const pieces = [
      { index: 0, name: "Re" },
      { index: 0, name: "ad" },
      { index: 1, name: "Bash" },
      { index: 0, args: '{"a":1}' },
      { index: 1, args: '{"b":2}' },
    ]
    expect(calls(pieces)).toEqual([
      ["Read", minted(0), a],
      ["Bash", minted(1), b],
    ])
  })

  test("an id that comes after the name is used", () => {
    expect(
      calls([
        { index: 0, name: "Read" },
        { index: 0, id: "call_late1", args: '{"a":1}' },
      ]),
    ).toEqual([["Read", "call_late1", a]])
  })
})

describe("arguments", () => {
  const whole: readonly (readonly [string, unknown, readonly JsonObject[]])[] = [
    ["case 47: empty", "", [{}]],
    ["case 47: missing", undefined, [{}]],
    ["case 47: null", null, [{}]],
    ["case 47: the word null", "null", [{}]],
    ["an empty object", "{}", [{}]],
    ["an empty object with space", " { } ", [{}]],
    ["case 70: an object", { a: 1 }, [a]],
    ["case 70: encoded twice", '"{\\"a\\":1}"', [a]],
    ["encoded twice, and empty", '"{}"', [{}]],
    ["case 49: two objects", '{"a":1}{"b":2}', [a, b]],
    ["case 49: three objects with space between", '{"a":1}\n{"b":2} {"a":1}', [a, b, a]],
    ["a place holder before the object", '{}{"a":1}', [a]],
    ["an empty object behind it", '{"a":1}{}', [a]],
    ["a closing brace too many", '{"a":1}}', [a]],
    ["braces and quotes inside strings", '{"a":"}{\\"\\\\"}', [{ a: '}{"\\' }]],
    ["a list", "[1,2]", [{}]],
    ["a number", "12", [{}]],
    ["a fence", '```json\n{"a":1}\n```', [a]],
    ["prose", "read it", [{ _raw_arguments: "read it" }]],
    ["a string that is prose", '"read it"', [{ _raw_arguments: "read it" }]],
  ]
  const expectedCalls = (inputs: readonly JsonObject[], id = "call_aaaa") =>
    inputs.map((input, at) => ["Read", at === 0 ? id : minted(at), input])

  test.each(whole)("%s: in one chunk", (_name, args, expected) => {
    const chunk = deltaChunk({
      tool_calls: [{ index: 0, id: "call_aaaa", function: { name: "Read", arguments: args } }],
    })
    expect(callsOf([chunk])).toEqual(expectedCalls(expected))
  })

  test.each(whole.filter(([, args]) => typeof args === "string"))(
    "%s: character by character",
    (_name, args, expected) => {
      const pieces = [...String(args)].map((args) => ({ index: 0, args }))
      expect(calls([{ index: 0, id: "call_aaaa", name: "Read" }, ...pieces])).toEqual(expectedCalls(expected))
    },
  )

  test.each(whole)("%s: in a whole reply", (_name, args, expected) => {
    const reply = chatReply({
      content: null,
      tool_calls: [{ id: "call_aaaa", function: { name: "Read", arguments: args } }],
    })
    const events = replyEvents(reply)
    expect(checkGrammar(events)).toEqual([])
    const content = foldEvents(events).reply?.content ?? []
    expect(content.map(shortCall)).toEqual(expectedCalls(expected))
  })

  test("a place holder in a chunk of its own, then the arguments", () => {
    expect(
      calls([
        { index: 0, id: "call_aaaa", name: "Read", args: "{}" },
        { index: 0, args: '{"a":1}' },
      ]),
    ).toEqual([["Read", "call_aaaa", a]])
    expect(
      calls([
        { index: 0, id: "call_aaaa", name: "Read", args: "{" },
        { index: 0, args: "}" },
        { index: 0, args: "{" },
        { index: 0, args: '"a":1}' },
      ]),
    ).toEqual([["Read", "call_aaaa", a]])
  })

  test("a place holder is complete when the limit ends the reply", () => {
    const chunk = toolChunk({ index: 0, id: "call_aaaa", name: "Read", args: "{}" })
    expect(foldOf([chunk, finishChunk("length")]).reply?.stop_reason).toBe("tool_use")
  })

  test("the same object again in one fragment is no second call", () => {
    const first = { index: 0, id: "call_aaaa", name: "Read" }
    expect(calls([{ ...first, args: '{"a":1}{"a":1}' }])).toEqual([["Read", "call_aaaa", a]])
    expect(
      calls([
        { ...first, args: '{"a":1}' },
        { index: 0, args: ' {"a":1}' },
      ]),
    ).toEqual([["Read", "call_aaaa", a]])
  })

  test("case 48: everything in the finish chunk", () => {
    const chunk = {
      choices: [
        {
          delta: {
            tool_calls: [{ index: 0, id: "call_aaaa", function: { name: "Read", arguments: '{"a":1}' } }],
          },
          finish_reason: "tool_calls",
        },
      ],
    }
    expect(foldOf([chunk]).reply?.content).toEqual([
      { type: "tool_use", id: "call_aaaa", name: "Read", input: a },
    ])
  })

  test("arguments are passed on as they come", () => {
    const pieces = [
      { index: 0, id: "call_aaaa", name: "Read", args: "" },
      { index: 0, args: "{" },
      { index: 0, args: '"a' },
      { index: 0, args: '":1' },
      { index: 0, args: "}" },
    ]
    expect(renderEvents(eventsOf(pieces.map(toolChunk))).slice(1, -3)).toEqual([
      "0 tool_use Read call_aaaa",
      '0   ""',
      '0   "{\\"a"',
      '0   "\\":1"',
      '0   "}"',
    ])
  })

  test("a call is shown as soon as its arguments begin, however little they say", () => {
    const name = { index: 0, id: "call_aaaa", name: "Read" }
    const shown = (...pieces: readonly ToolPiece[]) =>
      renderEvents(play(inputs(pieces.map(toolChunk)).slice(0, -1)))
    expect(shown(name)).toEqual([])
    expect(shown(name, { index: 0, args: "{" }).slice(1)).toEqual(["0 tool_use Read call_aaaa", '0   ""'])
    expect(shown({ index: 0, args: '{"a"' }, name).slice(1)).toEqual([
      "0 tool_use Read call_aaaa",
      '0   ""',
      '0   "{\\"a\\""',
    ])
  })

  test("text between the pieces of a call waits for its end", () => {
    const chunks = [
      toolChunk({ index: 0, id: "call_aaaa", name: "Read", args: '{"a"' }),
      textChunk("b"),
      toolChunk({ index: 0, args: ":1}" }),
      textChunk("c"),
    ]
    expect(callsOf(chunks)).toEqual([["Read", "call_aaaa", a], { type: "text", text: "bc" }])
  })

  test("toolInput keeps what is no JSON visible", () => {
    expect(toolInput('{"a":')).toEqual({ _raw_arguments: '{"a":' })
    expect(toolInput("")).toEqual({})
  })
})
