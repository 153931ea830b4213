// Pieces of a call's arguments that are read together: nobody can tell it from each of them read by itself.
import { expect, test } from "bun:test"
import type { Delta } from "../../src/convert/common/delta.ts"
import { spreadRuns } from "../../src/convert/common/pieces.ts"
import { readChat } from "../../src/convert/reader/chat-stream.ts"
import { initialReader } from "../../src/convert/reader/reader.ts"
import type { ReaderState } from "../../src/convert/reader/reader-text.ts"
import { emptyFilter, filterJson } from "../../src/convert/tool-calls/json-stream.ts"
import type { StreamInput } from "../../src/protocol/chat/chat.ts"
import { argumentsField } from "../../src/protocol/chat/chat-run.ts"
import { quoteAll, textsOf } from "../../src/protocol/texts.ts"
import { finishChunk, toolChunk } from "../support/chunks.ts"
import { readerOptions, toolNames } from "../support/fixtures.ts"
import { property, type Random } from "../support/random.ts"

type Options = ReturnType<typeof readerOptions>
type Read = { readonly state: ReaderState; readonly deltas: readonly Delta[] }

/** Fragments of the call with this index. */
interface Fragments {
  readonly index: number
  readonly texts: readonly string[]
}

const pieceOf = (index: number, args: string): StreamInput => ({
  kind: "chunk",
  chunk: toolChunk({ index, args }),
})

const runOf = ({ index, texts }: Fragments): StreamInput => ({
  kind: "run",
  run: { chunk: toolChunk({ index, args: "like" }), field: argumentsField, ...quoteAll(texts) },
})

function read(inputs: readonly StreamInput[], options: Options): Read {
  const state = initialReader(options)
  const deltas: Delta[] = []
  for (const input of inputs) deltas.push(...readChat(state, input))
  return { state, deltas: spreadRuns(deltas) }
}

/** The calls begin, their fragments come as they are grouped, and the reply ends. */
function readBoth(groups: readonly Fragments[], names: readonly string[], options: Options): void {
  const begun = names.map(
    (name, index): StreamInput => ({
      kind: "chunk",
      chunk: toolChunk({ index, id: `call_abcdefg${index}`, name, args: "" }),
    }),
  )
  const over: readonly StreamInput[] = [
    { kind: "chunk", chunk: finishChunk("tool_calls") },
    { kind: "end", clean: true },
  ]
  const singles = groups.flatMap(({ index, texts }) => texts.map((text) => pieceOf(index, text)))
  for (const last of [[], over]) {
    const together = read([...begun, ...groups.map(runOf), ...last], options)
    const each = read([...begun, ...singles, ...last], options)
    expect(together).toEqual(each)
  }
}

function cut(random: Random, text: string): readonly string[] {
  const most = random.pick([1, 2, 5, 20])
  const pieces: string[] = []
  for (let from = 0; from < text.length; ) {
    const to = from + random.integer(1, most)
    pieces.push(text.slice(from, to))
    from = to
  }
  return pieces
}

function group(random: Random, index: number, texts: readonly string[]): readonly Fragments[] {
  const groups: Fragments[] = []
  for (let from = 0; from < texts.length; ) {
    const to = from + random.integer(1, 12)
    groups.push({ index, texts: texts.slice(from, to) })
    from = to
  }
  return groups
}

const value = (random: Random) =>
  JSON.stringify({ path: random.text(random.pick([3, 60])), more: random.json(3), b: [random.text(20)] })

/** Something is put in, or taken out. */
function broken(random: Random, text: string): string {
  const at = random.integer(0, text.length)
  const put = random.pick([
    "",
    ",",
    "'",
    '"',
    "{",
    "}",
    "\\",
    "\\u12",
    "/",
    "\n",
    "None",
    '"}',
    "{}",
    "// x\n",
  ])
  return text.slice(0, at) + put + text.slice(at + random.integer(0, 2))
}

/** Relays say things twice, or once more with every piece. */
function repeated(random: Random, texts: readonly string[]): readonly string[] {
  if (random.chance(0.2)) return texts.flatMap((text) => [text, text])
  if (random.chance(0.2)) return texts.map((_, at) => texts.slice(0, at + 1).join(""))
  return random.chance(0.1) ? [...texts, texts.join("")] : texts
}

const optionsOf = (random: Random): Options =>
  readerOptions({ tools: { wholeArguments: random.chance(0.5) } })

property("arguments as they should be", 1_500, (random) => {
  const texts = cut(random, value(random))
  readBoth(group(random, 0, texts), [random.pick(toolNames)], optionsOf(random))
})

property("arguments with something wrong in them, or said more than once", 2_500, (random) => {
  const whole = random.chance(0.2) ? value(random) + value(random) : value(random)
  const texts = repeated(random, cut(random, random.chance(0.7) ? broken(random, whole) : whole))
  readBoth(group(random, 0, texts), [random.pick([...toolNames, "Rea"])], optionsOf(random))
})

property("several calls at once", 800, (random) => {
  const calls = [0, 1, 2].map((index) => group(random, index, cut(random, broken(random, value(random)))))
  readBoth(random.interleave(calls), ["Read", "Write", "Bash"], optionsOf(random))
})

property("what is passed on of JSON does not depend on how it is cut", 2_000, (random) => {
  const text = random.chance(0.5) ? value(random) : broken(random, broken(random, value(random)))
  const whole = filterJson(emptyFilter, text)
  let filter = emptyFilter
  let out = ""
  for (const piece of cut(random, whole.rest < 0 ? text : text.slice(0, whole.rest))) {
    const step = filterJson(filter, piece)
    filter = step.filter
    out += step.out
  }
  expect([out, filter]).toEqual([whole.out, whole.filter])
})

test("a run inside a string is one delta, and none where the arguments wait to be whole", () => {
  const texts = ["some ", "\\", 'n\\"wor', "ds\\u00", "e9 ", "more"]
  const inputs = [
    {
      kind: "chunk",
      chunk: toolChunk({ index: 0, id: "call_abcdefgh", name: "Read", args: '{"a":"' }),
    } as const,
    runOf({ index: 0, texts }),
  ]
  const runs = (wholeArguments: boolean) => {
    const state = initialReader(readerOptions({ tools: { wholeArguments } }))
    readChat(state, inputs[0] ?? fail())
    return readChat(state, inputs[1] ?? fail()).map((delta) =>
      delta.kind === "run" ? textsOf(delta) : delta.kind,
    )
  }
  expect(runs(false)).toEqual([["some ", '\\n\\"wor', "ds", "\\u00e9 ", "more"]])
  expect(runs(true)).toEqual([])
})

const fail = (): never => {
  throw new Error("no input")
}

test("an argument of megabytes costs in proportion to its length", () => {
  const time = (count: number): number => {
    const inputs = [
      {
        kind: "chunk",
        chunk: toolChunk({ index: 0, id: "call_abcdefgh", name: "Read", args: '{"a":"' }),
      } as const,
      ...Array.from({ length: count }, () =>
        runOf({ index: 0, texts: Array(50).fill('twenty \\"characters\\"') }),
      ),
      runOf({ index: 0, texts: ['"}'] }),
    ]
    const started = performance.now()
    for (const wholeArguments of [true, false]) read(inputs, readerOptions({ tools: { wholeArguments } }))
    return performance.now() - started
  }
  time(100)
  expect(time(2_000)).toBeLessThan(15_000)
})
