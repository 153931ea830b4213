// Arguments as they stream: what is delivered of them, in which pieces, and what is noted about it.
import { describe, expect, test } from "bun:test"
import { repair } from "../../src/convert/tool-calls/repairs.ts"
import { readToolCalls } from "../../src/convert/tool-calls/tool-calls.ts"
import { endToolCalls } from "../../src/convert/tool-calls/tool-end.ts"
import type { ToolOptions } from "../../src/convert/tool-calls/tool-options.ts"
import { initialTools } from "../../src/convert/tool-calls/tool-slots.ts"
import { changed, dropped, type Note } from "../../src/protocol/fault.ts"
import { type JsonObject, parseJson } from "../../src/protocol/json.ts"
import { chatReply, finishChunk, type ToolPiece, toolChunk } from "../support/chunks.ts"
import { eventsOf, foldOf, readerOptions, replyEvents } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { property, type Random } from "../support/random.ts"

interface Options {
  readonly cut?: boolean
  readonly whole?: boolean
  readonly schemas?: ToolOptions["schemas"]
}

interface Delivered {
  /** What came out for each fragment, the end included. */
  readonly steps: readonly string[]
  /** The arguments of each call. */
  readonly args: readonly string[]
  readonly complete: readonly boolean[]
  readonly notes: readonly Note[]
}

/** Entries of `tool_calls`, one chunk each, through the reader. */
function deliver(
  entries: readonly unknown[],
  { cut = false, whole = false, schemas }: Options = {},
): Delivered {
  const options = { ...readerOptions().tools, schemas }
  const steps: string[] = []
  const args: string[] = []
  const complete: boolean[] = []
  const notes: Note[] = []
  let state = initialTools
  const add = (deltas: ReturnType<typeof endToolCalls>) => {
    let step = ""
    for (const delta of deltas) {
      if (delta.kind === "note") notes.push(delta.note)
      if (delta.kind !== "tool") continue
      step += delta.args
      args[delta.key] = (args[delta.key] ?? "") + delta.args
      complete[delta.key] = delta.complete
    }
    steps.push(step)
  }
  for (const entry of entries) {
    const [next, deltas] = readToolCalls(state, [entry], options, whole)
    state = next
    add(deltas)
  }
  add(endToolCalls(state, options, cut))
  return { steps, args, complete, notes }
}

const entry = (args: string, more: JsonObject = {}) => ({ index: 0, ...more, function: { arguments: args } })
const first = { index: 0, id: "call_aaaa", function: { name: "Read" } }

/** One call's arguments, in these fragments. */
function stream(fragments: readonly string[], options: Options = {}): Delivered {
  return deliver([first, ...fragments.map((args) => entry(args))], options)
}

const path = (position = 0) => `tool_calls.${position}.function.arguments`
const whys = (notes: readonly Note[]) => notes.map(({ why }) => why).toSorted()

/** The text in two pieces, cut at every place, and character by character. */
function cuts(text: string): readonly (readonly string[])[] {
  const two = Array.from(text, (_, at) => [text.slice(0, at), text.slice(at)])
  return [[text], ...two, text.split("")]
}

describe("repairs", () => {
  const { closed, comma, comment, control, escape: escapes, fence, key, quote, word } = repair
  const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
    ["valid JSON", '{"a":[1,-2.5e3,true,null],"b":"\\u00e9\\\\\\"{}[],:","c":{}}', "", []],
    ["a trailing comma", '{"a":[1,2,],"b":3,}', '{"a":[1,2],"b":3}', [comma]],
    ["a raw line break and a tab", '{"a":"1\n2\t3\u0001"}', '{"a":"1\\n2\\t3\\u0001"}', [control]],
    [
      "Python's words",
      '{"a":True,"b":[False,None,NaN,-Infinity],"c":undefined}',
      '{"a":true,"b":[false,null,null,null],"c":null}',
      [word],
    ],
    ["such words in a string", '{"a":"True, None // 1,}"}', "", []],
    [
      "unknown escapes",
      '{"a":"C:\\Users\\x \\u12 it\\\'s"}',
      '{"a":"C:\\\\Users\\\\x \\\\u12 it\'s"}',
      [escapes],
    ],
    ["comments", '{"a":1,/* } */"b":2 // }\n}', '{"a":1,"b":2 \n}', [comment]],
    ["closing brackets missing", '{"a":[{"b":1', '{"a":[{"b":1}]}', [closed]],
    ["a comma, and the rest missing", '{"a":[1,', '{"a":[1]}', [closed, comma]],
    ["single quotes", "{'a': 'it\\'s', 'b': {'c': True}}", '{"a": "it\'s", "b": {"c": true}}', [quote, word]],
    ["single quotes around a brace", "{'a': '}'}", '{"a": "}"}', [quote]],
    ["single quotes, the end missing", "{'a': [1", '{"a": [1]}', [closed, quote]],
    ["names without quotes", "{a: 1, b: 'c'}", '{"a": 1, "b": "c"}', [key, quote]],
    ["a fence around single quotes", "```json\n{'a': 1}\n```", '{"a": 1}', [fence, quote]],
    ["encoded twice", '"{\\"a\\":1}"', '{"a":1}', [repair.encodedTwice]],
    ["a list", "[1]", "", [repair.noObject]],
  ]
  test.each(cases)("%s, wherever it is cut", (name, text, expected, notes) => {
    const wanted = name === "a list" ? "" : expected || text
    for (const fragments of cuts(text)) {
      const { args, complete, notes: noted } = stream(fragments)
      expect([fragments, args, complete]).toEqual([fragments, [wanted], [true]])
      expect(whys(noted)).toEqual([...notes].toSorted())
      for (const note of noted) expect(note).toEqual(changed(path(), note.why))
    }
  })

  test.each(cases)("%s, in a whole reply", (name, text, expected, notes) => {
    const wanted = name === "a list" ? "" : expected || text
    const call = { id: "call_aaaa", function: { name: "Read", arguments: text } }
    const { args, complete, notes: noted } = deliver([call], { whole: true })
    expect([args, complete, whys(noted)]).toEqual([[wanted], [true], [...notes].toSorted()])
  })

  const open: readonly (readonly [string, string])[] = [
    ["inside a string", '{"a":"b'],
    ["behind a backslash", '{"a":"b\\'],
    ["behind a name", '{"a"'],
    ["behind a colon", '{"a":'],
    ["inside a word", '{"a":tru'],
    ["inside a number", '{"a":-'],
    ["inside a comment", '{"a":1 /* b'],
  ]
  test.each(open)("an end %s is not repaired", (_name, text) => {
    const { args, complete, notes } = stream(["{", text.slice(1)])
    expect([args, complete]).toEqual([[text.replace(" /* b", " ")], [false]])
    expect(whys(notes)).toContain(repair.unfinished)
  })

  test("case 63: what the length limit cut off is not made up", () => {
    for (const text of ['{"a":[1', '{"a":1,', '{"a":tru', "{", '{"a":"b\\']) {
      expect(stream([text], { cut: true })).toMatchObject({ args: [text], complete: [false], notes: [] })
    }
    expect(stream(["{'a':1"], { cut: true })).toMatchObject({
      args: [`{"_raw_arguments":"{'a':1"}`],
      complete: [false],
    })
  })

  test("what is broken beyond repair is passed on, and said", () => {
    for (const text of ['{"a" 1}', '{"a":[1}', '{"a":"echo "hi"}', '{"a":1 "b']) {
      expect(stream([text])).toMatchObject({ args: [text], notes: [changed(path(), repair.invalid)] })
    }
    const prose = stream(["Don't use ", "{x}", " here"])
    expect(prose.args).toEqual([`{"_raw_arguments":"Don't use {x} here"}`])
    expect(prose.notes).toEqual([changed(path(), repair.raw)])
  })

  test("only a comma, a bare word and an escape wait for what follows", () => {
    const fragments = [
      '{"a',
      '":t',
      "ru",
      "e",
      ", ",
      '"b":[1',
      ",2",
      "]",
      ',"c":"',
      "\\",
      "n",
      "\\u0",
      "0e9",
      '"',
      "}",
    ]
    expect(stream(fragments).steps).toEqual([
      "",
      '{"a',
      '":',
      "",
      "",
      "true",
      ', "b":[1',
      ",2",
      "]",
      ',"c":"',
      "",
      "\\n",
      "",
      "\\u00e9",
      '"',
      "}",
      "",
    ])
  })

  test("each thing is noted once, for each call", () => {
    const call = (index: number) => ({
      index,
      id: `call_${index}xxx`,
      function: { name: "Read", arguments: '{"a":[1,],}' },
    })
    expect(deliver([call(0), call(1)]).notes).toEqual([
      changed(path(0), repair.comma),
      changed(path(1), repair.comma),
    ])
  })
})

describe("what comes besides the arguments", () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[], readonly Note[]])[] = [
    ["a place holder", ["{}", '{"a":1}'], ['{"a":1}'], [changed(path(), repair.placeHolder)]],
    ["a lone place holder", ["{", "}"], [""], []],
    ["late arguments", ['{"a":1}', "x", "y"], ['{"a":1}'], [changed(path(), repair.behind)]],
    ["white space and an empty object", ['{"a":1}', " \n", "{}"], ['{"a":1}'], []],
    ["the same again", ['{"a"', ":1}", '{"a":1}'], ['{"a":1}'], [changed(path(), repair.cumulative)]],
    ["the same again in one piece", ['{"a":1}{"a":1}'], ['{"a":1}'], [changed(path(), repair.repeated)]],
    ["case 49: another object", ['{"a":1}{"b":2}'], ['{"a":1}', '{"b":2}'], [changed(path(), repair.second)]],
  ]
  test.each(cases)("%s", (_name, fragments, args, notes) => {
    expect(stream(fragments)).toMatchObject({ args, notes })
  })

  test("a call without a name is dropped, and said", () => {
    expect(deliver([entry('{"a":1}', { id: "call_aaaa" })])).toMatchObject({
      args: [],
      notes: [dropped("tool_calls.0", "the call has no name")],
    })
  })

  test("case 70: an object for a string is no repair", () => {
    const call = { id: "call_aaaa", function: { name: "Read", arguments: { a: 1 } } }
    expect(deliver([call], { whole: true })).toMatchObject({ args: ['{"a":1}'], complete: [true], notes: [] })
  })
})

describe("cumulative arguments", () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["from the first bracket on", ["{", '{"a', '{"a":1', '{"a":1}'], ["", '{"a', '":1', "}"]],
    ["the last one twice", ['{"a', '{"a":1}', '{"a":1}'], ['{"a', '":1}', ""]],
    ["no growth now and then", ['{"a', '{"a', '{"a":1', '{"a":1', '{"a":1}'], ['{"a', "", '":1', "", "}"]],
    ["an older state once more", ['{"a', '{"a":1', '{"a', '{"a":1}'], ['{"a', '":1', "", "}"]],
    ["cut behind a colon", ['{"a":', '{"a":1', '{"a":1}'], ['{"a":', "", "1}"]],
    ["cut behind a colon, and at once complete", ['{"a":', '{"a":1}'], ['{"a":', ""]],
    ["an empty name", ['{"', '{"":', '{"":1}'], ['{"', '":', "1}"]],
    ["pieces, then everything", ['{"a"', ":1", '{"a":1}'], ['{"a"', ":1", "}"]],
    [
      "repaired on the way",
      ['{"a":"\n', '{"a":"\n1', '{"a":"\n1",', '{"a":"\n1",}'],
      ['{"a":"\\n', "1", '"', "}"],
    ],
  ]
  test.each(cases)("%s", (_name, fragments, steps) => {
    const delivered = stream(fragments)
    expect(delivered.steps.slice(1, -1)).toEqual([...steps])
    expect(delivered.args).toEqual([fragments.at(-1)?.replace("\n", "\\n").replace(",}", "}") ?? ""])
    expect(delivered.complete).toEqual([true])
    expect(whys(delivered.notes)).toContain(repair.cumulative)
  })

  test("without index, with the name in each", () => {
    const named = ['{"a', '{"a":1}', '{"a":1}'].map((args) => ({
      function: { name: "Read", arguments: args },
    }))
    expect(deliver(named)).toMatchObject({ args: ['{"a":1}'] })
  })

  test("in single quotes, where nothing is passed on before the end", () => {
    const { args, notes } = stream(["{'a", "{'a': 1", "{'a': 1}"])
    expect([args, whys(notes)]).toEqual([['{"a": 1}'], [repair.cumulative, repair.quote].toSorted()])
  })
})

describe("fragments that come twice", () => {
  const twice = (fragments: readonly string[]) => fragments.flatMap((fragment) => [fragment, fragment])
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["with equal neighbours", ['{"a":"', "ha", "ha", '"}']],
    ["from the first bracket on", ["{", '"', "a", '"', ":", "1", "}"]],
    ["the first quote", ['{"', 'a":', "1}"]],
    ["behind a colon", ['{"a":', "1", "}"]],
    ["everything at once", ['{"a":1}']],
  ]
  test.each(cases)("%s", (_name, fragments) => {
    const { args, complete, notes } = stream(twice(fragments))
    expect([args, complete]).toEqual([[fragments.join("")], [true]])
    expect(notes).toEqual([changed(path(), fragments.length === 1 ? repair.repeated : repair.doubled)])
  })

  const plain: readonly (readonly [string, readonly string[]])[] = [
    ["equal neighbours without the sign", ['{"a":"', "ha", "ha", "ha", "ha", '"}']],
    ["equal brackets", ['{"a":', "[", "[", "]", "]", "}"]],
    ["an object of the same name inside", ['{"a":', '{"a":', "1", "}", "}"]],
    ["the same, growing", ['{"a":', '{"a":1', "}}"]],
    ["the same, at once complete", ['{"a":', '{"a":1}}']],
    ["three of them", ['{"a":', '{"a":', '{"a":', "1}}}"]],
    ["a list of such", ['{"a":[', '{"a":[', "1", "]}]}"]],
    ["a name that is a bracket", ['{"', '{":1}']],
    ["the same in three pieces", ['{"', '{"', ":1}"]],
  ]
  test.each(plain)("not so: %s", (_name, fragments) => {
    expect(stream(fragments)).toMatchObject({ args: [fragments.join("")], complete: [true], notes: [] })
  })

  test("only the first one came twice: equal neighbours stay from then on", () => {
    const fragments = ['{"a', '{"a', '":"', "x", "ha", "ha", '"}']
    expect(stream(fragments).args).toEqual(['{"a":"xhaha"}'])
  })

  test("a whole call with its id once more is no second call", () => {
    const call = (index: number) => ({
      index,
      id: "call_aaaa",
      function: { name: "Read", arguments: '{"a":1}' },
    })
    for (const whole of [true, false]) {
      expect(deliver([call(0), call(1), call(2)], { whole })).toMatchObject({
        args: ['{"a":1}'],
        notes: [changed(path(), repair.repeated)],
      })
    }
  })
})

describe("the schema", () => {
  const schema = { properties: { file_path: { type: "string" } }, required: ["file_path"] }
  const schemas = new Map([["Read", schema]])
  const missing = changed(path(), "arguments do not match the schema of Read: file_path is missing")

  test("what does not fit is said and not altered", () => {
    expect(stream(['{"text":1}'], { schemas })).toMatchObject({ args: ['{"text":1}'], notes: [missing] })
    expect(stream(['{"file_path":"a"}'], { schemas }).notes).toEqual([])
    expect(stream(["{}"], { schemas }).notes).toEqual([missing])
    expect(stream([], { schemas }).notes).toEqual([missing])
    expect(stream([], { schemas, cut: true }).notes).toEqual([])
    expect(stream(["read it"], { schemas }).notes).toEqual([changed(path(), repair.raw)])
  })
})

const encode = (random: Random): string =>
  JSON.stringify({ path: random.text(12), more: random.json(3), [random.text(4)]: random.json(2) })

function cut(random: Random, text: string): readonly string[] {
  const most = random.pick([1, 2, 5, 30, text.length])
  const out: string[] = []
  for (let at = 0; at < text.length; ) {
    const size = random.integer(1, most)
    out.push(text.slice(at, at + size))
    at += size
  }
  return out
}

property("valid arguments, cut anywhere, are delivered byte for byte", 3000, (random) => {
  const text = random.chance(0.5) ? encode(random) : JSON.stringify({ [random.text(3)]: random.json(4) })
  const delivered = stream(cut(random, text))
  expect(delivered).toMatchObject({ args: [text], complete: [true], notes: [] })
})

property("cumulative arguments are what they end as", 1000, (random) => {
  const text = encode(random)
  let length = 0
  const ends = cut(random, text).map((piece) => {
    length += piece.length
    return text.slice(0, length)
  })
  const again = random.chance(0.3) ? [...ends, text] : ends
  expect(stream(again)).toMatchObject({ args: [text], complete: [true] })
})

property("fragments that all come twice are taken once", 1000, (random) => {
  const text = encode(random)
  const fragments = cut(random, text).flatMap((piece) => [piece, piece])
  expect(stream(fragments)).toMatchObject({ args: [text], complete: [true] })
})

property(
  "one mutation anywhere: parsed in the end, or the raw text but for what was noted",
  3000,
  (random) => {
    const text = encode(random)
    const at = random.integer(2, text.length)
    const put = random.pick(["", "", ",", "'", '"', "{", "}", "\\", "/", "\n", "x", "None", ":", " "])
    const mutated = text.slice(0, at) + put + text.slice(at + random.integer(0, 2))
    const { args, notes } = stream(cut(random, mutated))
    const [own = "", ...further] = args
    if (parseJson(own).ok) return
    expect(notes.length).toBeGreaterThan(0)
    const silent: readonly string[] = [repair.invalid, repair.unfinished, repair.behind, repair.second]
    if (notes.every(({ why }) => silent.includes(why))) expect(mutated.startsWith(own)).toBe(true)
    expect(further.length).toBeLessThan(mutated.length)
  },
)

test("1 MiB in fragments of one character takes linear time, whatever has to wait", () => {
  const long = 1024 * 1024
  const some = long / 8
  const texts = [
    JSON.stringify({ a: "x".repeat(long) }),
    `{"a":[1,${" ".repeat(some)}2]}`,
    `{"a":${"[".repeat(some)}${"]".repeat(some)}}`,
    `{"a":${"9".repeat(some)}}`,
    `{"a":{${'"a":{'.repeat(some / 8)}${"}".repeat(some / 8)}}}`,
  ]
  const started = performance.now()
  for (const text of texts) expect(stream(text.split("")).args).toEqual([text])
  expect(performance.now() - started).toBeLessThan(15_000)
}, 30_000)

describe("through the writer", () => {
  const play = (pieces: readonly ToolPiece[], reason = "tool_calls") =>
    [...pieces.map(toolChunk), finishChunk(reason)] as const

  test("what the SDK would throw at is valid JSON for the client", () => {
    const chunks = play([
      { index: 0, id: "call_aaaa", name: "Read", args: '{"a":[1,' },
      { index: 0, args: "],}" },
      { index: 1, id: "call_bbbb", name: "Bash", args: "{'b': True}" },
      { index: 2, id: "call_cccc", name: "Write", args: '{"c":1' },
    ])
    expect(checkGrammar(eventsOf(chunks))).toEqual([])
    expect(foldOf(chunks).reply?.content).toEqual([
      { type: "tool_use", id: "call_aaaa", name: "Read", input: { a: [1] } },
      { type: "tool_use", id: "call_bbbb", name: "Bash", input: { b: true } },
      { type: "tool_use", id: "call_cccc", name: "Write", input: { c: 1 } },
    ])
  })

  test("a whole reply gives a stream of valid JSON", () => {
    const call = (id: string, args: string) => ({ id, function: { name: "Read", arguments: args } })
    const reply = chatReply({
      tool_calls: [call("call_aaaa", "{\"a\": 'b'}"), call("call_bbbb", '{"c":{d:1}}')],
    })
    expect(checkGrammar(replyEvents(reply))).toEqual([])
  })
})
