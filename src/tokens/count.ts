// The exact counter: the encodings of js-tiktoken. A vocabulary is read when a text is first counted in it, and a
// text is counted once: asked again, its count is remembered. Nothing here runs for long without a pause.
import type { TiktokenBPE } from "js-tiktoken/lite"
import { createEncoder, type Encoder } from "./exact/encoder.ts"
import type { EncodingName } from "./exact/encodings.ts"
import { createDigest, createMemo } from "./exact/memo.ts"
import { readVocabulary } from "./exact/vocabulary.ts"
import { windowsOf } from "./exact/windows.ts"
import { type Countable, type Piece, partsOf, piecesOf, type TokenParts } from "./pieces.ts"

export interface Counter {
  /** Tokens of a text, by default in o200k_base. Runs no language has (512 bytes without a break) are estimated. */
  readonly count: (text: string, encoding?: EncodingName) => Promise<number>
  /** Of many texts, and of numbers that are tokens already. */
  readonly sum: (pieces: readonly Piece[], encoding?: EncodingName) => Promise<number>
}

interface CounterOptions {
  /** Awaited after every few milliseconds of work, so that a long text does not hold everything up. */
  readonly pause?: () => Promise<void>
  /** How much memory the known counts may take; by default 4 MB, some 30,000 texts. */
  readonly memoBytes?: number
}

/** Shorter texts are counted faster than they are looked up. */
const worthKeeping = 200
/** Characters counted, and characters only looked at to know them again, between two pauses. */
const countedAtOnce = 16_384
const readAtOnce = 1_000_000

async function ranksOf(encoding: EncodingName): Promise<TiktokenBPE> {
  switch (encoding) {
    case "o200k_base":
      return (await import("js-tiktoken/ranks/o200k_base")).default
    case "cl100k_base":
      return (await import("js-tiktoken/ranks/cl100k_base")).default
    default:
      return encoding satisfies never
  }
}

async function loadEncoder(encoding: EncodingName, pause: () => Promise<void>): Promise<Encoder> {
  const { pat_str: rule, bpe_ranks: ranks } = await ranksOf(encoding)
  const reading = readVocabulary(ranks)
  for (;;) {
    await pause()
    const step = reading.next()
    if (step.done === true) return createEncoder(step.value, rule)
  }
}

/** What `countNow` does with a text, as a part of what may be done between two pauses. */
function workOf({ length }: string): number {
  return Math.min(1, length / (length < worthKeeping ? countedAtOnce : readAtOnce))
}

/** A counter that loads vocabularies on first use and keeps them. Its promises reject only if that fails. */
export function createCounter({ pause, memoBytes = 4_000_000 }: CounterOptions = {}): Counter {
  const breathe = pause ?? (async (): Promise<void> => {})
  const encoders = new Map<EncodingName, Promise<Encoder>>()
  const memo = createMemo(memoBytes)
  const digest = createDigest()
  let sincePause = 0

  /** Whether the work to come, at most one, would be too much together with what was done since the last pause. */
  function isDue(work: number): boolean {
    const due = sincePause > 0 && sincePause + work > 1
    sincePause = due ? work : sincePause + work
    return due
  }

  function encoderOf(encoding: EncodingName): Promise<Encoder> {
    const known = encoders.get(encoding)
    if (known !== undefined) return known
    const loading = loadEncoder(encoding, breathe)
    encoders.set(encoding, loading)
    // What could not be read may be there the next time.
    loading.catch(() => encoders.delete(encoding))
    return loading
  }

  async function encode(text: string, encoder: Encoder): Promise<number> {
    let tokens = 0
    for (const window of windowsOf(text)) {
      if (isDue(window.length / countedAtOnce)) await breathe()
      tokens += encoder(window)
    }
    return tokens
  }

  async function keyOf(text: string, encoding: EncodingName): Promise<string> {
    const digests: string[] = []
    for (let from = 0; from < text.length; from += readAtOnce) {
      if (isDue(1)) await breathe()
      digests.push(digest(text.slice(from, from + readAtOnce)))
    }
    return `${encoding} ${digests.length === 1 ? digests[0] : digest(digests.join(" "))}`
  }

  /** What need not be waited for, since a request may have thousands of pieces: short texts and known ones. */
  function countNow(text: string, encoding: EncodingName, encoder: Encoder): number | undefined {
    if (text.length < worthKeeping) return encoder(text)
    return text.length > readAtOnce ? undefined : memo.get(`${encoding} ${digest(text)}`)
  }

  async function countLater(text: string, encoding: EncodingName, encoder: Encoder): Promise<number> {
    const key = await keyOf(text, encoding)
    const tokens = memo.get(key) ?? (await encode(text, encoder))
    memo.set(key, tokens)
    return tokens
  }

  async function sum(pieces: readonly Piece[], encoding: EncodingName = "o200k_base"): Promise<number> {
    const encoder = await encoderOf(encoding)
    let tokens = 0
    for (const piece of pieces) {
      if (typeof piece === "number") {
        tokens += piece
        continue
      }
      if (isDue(workOf(piece))) await breathe()
      tokens += countNow(piece, encoding, encoder) ?? (await countLater(piece, encoding, encoder))
    }
    return tokens
  }
  return { sum, count: (text, encoding) => (text === "" ? Promise.resolve(0) : sum([text], encoding)) }
}

/** As estimateParts, with the texts counted; pictures and documents are estimates here too. */
export async function countParts(
  request: Countable,
  counter: Counter,
  encoding: EncodingName = "o200k_base",
): Promise<TokenParts> {
  const pieces = piecesOf(request)
  const system = await counter.sum(pieces.system, encoding)
  const tools: { name: string; tokens: number }[] = []
  for (const tool of pieces.tools) {
    tools.push({ name: tool.name, tokens: await counter.sum(tool.pieces, encoding) })
  }
  return partsOf(system, tools, await counter.sum(pieces.messages.flat(), encoding))
}
