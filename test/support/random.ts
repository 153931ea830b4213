// Seeded randomness for property tests: the same seed plays the same case again.
import { test } from "bun:test"

export interface Random {
  /** At least 0, less than 1. */
  readonly next: () => number
  /** A whole number from `low` to `high`, both included. */
  readonly integer: (low: number, high: number) => number
  readonly chance: (probability: number) => boolean
  /** One of a list that is not empty. */
  readonly pick: <T>(items: readonly T[]) => T
  readonly shuffle: <T>(items: readonly T[]) => readonly T[]
  /** The same bytes in pieces of random size; now and then an empty one. */
  readonly cut: (bytes: Uint8Array) => readonly Uint8Array[]
  /** All items of all lists, each list in its own order. */
  readonly interleave: <T>(lists: readonly (readonly T[])[]) => readonly T[]
  /** Text of up to `length` characters, with some of more than one byte or UTF-16 unit. */
  readonly text: (length: number) => string
  /** Any JSON value, nested at most `depth` deep. */
  readonly json: (depth: number) => unknown
}

const characters = [...'abz 019_{}[]"\\:,/<>\n\té—漢🎯']

/** Mulberry32: 32 bits of state, good enough to find bugs with. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export function createRandom(seed: number): Random {
  const next = mulberry32(seed)
  const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  const chance = (probability: number): boolean => next() < probability

  function pick<T>(items: readonly T[]): T {
    for (const item of items.slice(integer(0, items.length - 1))) return item
    throw new Error("nothing to pick from")
  }

  function shuffle<T>(items: readonly T[]): readonly T[] {
    return interleave(items.map((item) => [item]))
  }

  function cut(bytes: Uint8Array): readonly Uint8Array[] {
    const pieces: Uint8Array[] = []
    const most = pick([1, 3, 20, Math.max(1, bytes.length)])
    for (let from = 0; from < bytes.length; ) {
      const to = from + (chance(0.05) ? 0 : integer(1, most))
      pieces.push(bytes.slice(from, to))
      from = to
    }
    return pieces
  }

  function interleave<T>(lists: readonly (readonly T[])[]): readonly T[] {
    const waiting = lists.map((list) => [...list]).filter((list) => list.length > 0)
    const out: T[] = []
    while (waiting.length > 0) {
      const at = integer(0, waiting.length - 1)
      out.push(...(waiting[at]?.splice(0, 1) ?? []))
      if (waiting[at]?.length === 0) waiting.splice(at, 1)
    }
    return out
  }

  const text = (length: number): string =>
    Array.from({ length: integer(0, length) }, () => pick(characters)).join("")

  function json(depth: number): unknown {
    const kinds = depth > 0 ? ["array", "object", "scalar"] : ["scalar"]
    const items = (): readonly unknown[] => Array.from({ length: integer(0, 3) }, () => json(depth - 1))
    switch (pick(kinds)) {
      case "array":
        return items()
      case "object":
        return Object.fromEntries(items().map((item) => [text(5), item]))
      default:
        return pick([null, true, false, 0, -1, 1.5, integer(0, 1000), "", text(12)])
    }
  }

  return { next, integer, chance, pick, shuffle, cut, interleave, text, json }
}

/**
 * A test that runs `check` with `runs` seeds. When one fails, its seed is printed;
 * `PROPERTY_SEED=n bun test …` runs that one alone.
 */
export function property(name: string, runs: number, check: (random: Random) => void | Promise<void>): void {
  test(name, () => runProperty(name, runs, check))
}

export async function runProperty(
  name: string,
  runs: number,
  check: (random: Random) => void | Promise<void>,
): Promise<void> {
  const only = process.env["PROPERTY_SEED"]
  const seeds = only === undefined ? Array.from({ length: runs }, (_, index) => index + 1) : [Number(only)]
  for (const seed of seeds) {
    try {
      await check(createRandom(seed))
    } catch (error) {
      console.error(`"${name}" failed with seed ${seed}: PROPERTY_SEED=${seed} runs it alone`)
      throw error
    }
  }
}
