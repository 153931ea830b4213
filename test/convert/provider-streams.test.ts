// Every provider's streams in its own shape: the exact events, the whole reply that says the same, and what
// becomes of a stream that was damaged on its way.
import { describe, expect, test } from "bun:test"
import { readChat } from "../../src/convert/reader/chat-stream.ts"
import { initialReader } from "../../src/convert/reader/reader.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { readReply } from "../../src/convert/reply/reply.ts"
import { initialWriter, type WriterOptions } from "../../src/convert/writer/writer-state.ts"
import type { StreamInput } from "../../src/protocol/chat/chat.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { providers } from "../../src/providers/table.ts"
import {
  errorContext,
  inputsOf,
  listFixtures,
  optionsFor,
  play,
  readFixture,
  readStream,
  renderEvents,
  type StreamFixture,
  writerOptions,
} from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { encodeLines, mutateLines, readPieces, swapCalls } from "../support/mutations.ts"
import { createRandom, property } from "../support/random.ts"
import { readable } from "../support/signatures.ts"
import { writeEach } from "../support/write-each.ts"

const names = listFixtures("streams")
const chat = providers.filter((row) => row.delta.dialect !== "messages")

interface Recording extends StreamFixture {
  readonly lines: readonly string[]
  readonly options: ReturnType<typeof optionsFor>
  readonly writing: WriterOptions
}

const recordings: readonly Recording[] = names.map((name) => {
  const fixture = readStream(name)
  const errors = { ...errorContext, provider: fixture.provider, model: fixture.model }
  const chunks = fixture.chunks.map((chunk) => JSON.stringify(chunk))
  return {
    ...fixture,
    lines: fixture.done ? [...chunks, "[DONE]"] : chunks,
    options: optionsFor(fixture, { stopSequences: ["END"], errors }),
    writing: { ...writerOptions, provider: fixture.provider, upstreamModel: fixture.model },
  }
})

const eventsOf = (recording: Recording) => play(inputsOf(recording), recording.options, recording.writing)

/** The part of a message in which a stream and a whole reply must agree. */
function essence(events: readonly MessagesEvent[]): unknown {
  const { reply, fault } = foldEvents(events)
  return reply === undefined ? { fault } : readable(reply)
}

describe("exact events", () => {
  test.each(recordings.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    expect(recording.provider).toBe(recording.name.split("/")[0] ?? "")
    const events = eventsOf(recording)
    expect(checkGrammar(events)).toEqual([])
    expect(renderEvents(events)).toMatchSnapshot()
  })
})

describe("a stream says what the whole reply says", () => {
  const replies = new Set(listFixtures("replies"))
  const pairs = recordings.filter(({ name }) => replies.has(name))

  test.each(pairs.map((recording) => [recording.name, recording] as const))("%s", (name, recording) => {
    const { reply, model } = readFixture("replies", name)
    expect(String(model)).toBe(recording.model)
    const whole = writeEach(initialWriter(recording.writing), readReply(reply, recording.options))[1]
    expect(checkGrammar(whole)).toEqual([])
    expect(essence(eventsOf(recording))).toEqual(essence(whole))
  })
})

describe("every provider has", () => {
  test.each(chat.map(({ id }) => id))("%s: streams, replies and errors in its own shape", (id) => {
    for (const kind of ["streams", "replies", "errors"] as const) {
      expect(listFixtures(kind).filter((name) => name.startsWith(`${id}/`)).length).toBeGreaterThan(0)
    }
  })

  test.each(chat.map(({ id }) => id))("%s: text, calls, and a pair of stream and whole reply", (id) => {
    const own = recordings.filter(({ provider }) => provider === id)
    const types = own.flatMap((recording) => foldEvents(eventsOf(recording)).reply?.content ?? [])
    expect(new Set(types.map(({ type }) => type))).toContain("text")
    expect(new Set(types.map(({ type }) => type))).toContain("tool_use")
    const replies = listFixtures("replies")
    expect(own.some(({ name }) => replies.includes(name))).toBe(true)
  })
})

describe("bytes", () => {
  test.each(recordings.map((recording) => [recording.name, recording] as const))(
    "%s: cut anywhere",
    (_name, recording) => {
      const expected = eventsOf(recording)
      for (const seed of [1, 2, 3, 4]) {
        const random = createRandom(seed)
        const pieces = random.cut(encodeLines(random, recording.lines))
        const inputs = readPieces(pieces, recording.options.errors)
        expect(play(inputs, recording.options, recording.writing)).toEqual(expected)
      }
    },
  )
})

const isEnd = ({ type }: MessagesEvent) => type === "message_stop" || type === "error"

property("damaged streams end in exactly one terminal event, and in good order", 10_000, (random) => {
  const recording = random.pick(recordings)
  const bytes = encodeLines(random, mutateLines(random, recording.lines))
  const left = random.chance(0.2) ? bytes.subarray(0, random.integer(0, bytes.length)) : bytes
  const pieces = random.chance(0.2) ? random.cut(left) : [left]
  const events = play(readPieces(pieces, recording.options.errors), recording.options, recording.writing)
  // Arguments that lost a piece are streamed before anyone can know.
  const wrong = checkGrammar(events, { toolJson: false })
  const ends = events.filter(isEnd).length
  if (wrong.length > 0 || ends !== 1)
    expect({ name: recording.name, wrong, ends }).toEqual({ name: "", wrong: [], ends: 1 })
})

property("pieces of different calls that change places give the same calls", 1000, (random) => {
  const recording = random.pick(recordings)
  const swapped = swapCalls(random, recording.lines)
  const inputs = readPieces([encodeLines(random, swapped)], recording.options.errors)
  const events = play(inputs, recording.options, recording.writing)
  expect(checkGrammar(events)).toEqual([])
  expect([recording.name, ...callsOf(events)]).toEqual([recording.name, ...callsOf(eventsOf(recording))])
})

/** Calls without their ids, which may be minted by position, in no order. */
function callsOf(events: readonly MessagesEvent[]): readonly string[] {
  const content = foldEvents(events).reply?.content ?? []
  const calls = content.map((block) =>
    block.type === "tool_use" ? `${block.name} ${JSON.stringify(block.input)}` : "",
  )
  return calls.filter((call) => call !== "").toSorted()
}

describe("treacherous cases", () => {
  const named = (name: string) => recordings.find((recording) => recording.name === name) ?? missing(name)

  test("case 58: a stream that is cut after the role is an error, never an empty answer", () => {
    for (const recording of recordings) {
      const inputs = readPieces([encodeLines(createRandom(1), recording.lines.slice(0, 1))], errorContext)
      const last = play(inputs, recording.options, recording.writing).at(-1)
      const ended = recording.lines[0]?.includes('"finish_reason":"') === true
      if (!ended) expect([recording.name, last?.type]).toEqual([recording.name, "error"])
    }
  })

  test("case 61: a whole reply in place of a stream gives the full sequence of events", () => {
    const { options, writing } = named("deepseek/parallel-tools")
    const reply = readFixture("replies", "deepseek/parallel-tools")["reply"]
    const events = writeEach(initialWriter(writing), readReply(reply, options))[1]
    expect(checkGrammar(events)).toEqual([])
    const starts = events.flatMap((event) =>
      event.type === "content_block_start" ? [event.content_block.type] : [],
    )
    expect(starts).toEqual(["thinking", "text", "tool_use", "tool_use"])
  })

  test("case 67: the pieces of OpenRouter's details are one item each, in order, in one signature", () => {
    const { reply } = foldEvents(eventsOf(named("openrouter/claude-signature")))
    expect(reply === undefined ? undefined : readable(reply)).toMatchObject({
      content: [
        {
          type: "thinking",
          thinking: "Both files matter.",
          signature: {
            p: "openrouter",
            m: "anthropic/claude-opus-4.6",
            rd: [
              {
                type: "reasoning.text",
                format: "anthropic-claude-v1",
                index: 0,
                signature: "Et8BCmUIDxgCKkBkZW1vLXNpZ25hdHVyZS1vZi1jbGF1ZGU=",
              },
            ],
          },
        },
        { type: "text" },
        { type: "tool_use" },
      ],
    })
  })

  property("case 81: two streams at once do not know of each other", 300, (random) => {
    const pair = [random.pick(recordings), random.pick(recordings)]
    const sessions = pair.map(createSession)
    const turns = pair.map((recording, at) => inputsOf(recording).map((input) => ({ at, input })))
    for (const { at, input } of random.interleave(turns)) sessions[at]?.take(input)
    expect<unknown>(sessions.map((session) => session.events)).toEqual(pair.map(eventsOf))
  })
})

function missing(name: string): never {
  throw new Error(`no stream ${name}`)
}

/** A stream that is read input by input. */
function createSession({ options, writing }: Recording) {
  const reader = initialReader(options)
  let writer = initialWriter(writing)
  const events: MessagesEvent[] = []
  function take(input: StreamInput): void {
    const [nextWriter, more] = writeEach(writer, readChat(reader, input))
    writer = nextWriter
    events.push(...more)
  }
  return { events, take }
}
