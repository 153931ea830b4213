// Counts what replies came to while it is being measured. Failures count from the first request on.
import { percentilesOf } from "./statistics.ts"
import type { Slot } from "./talk.ts"

type Account = Partial<Slot> & Pick<Slot, "seconds">

export interface Tally {
  readonly begin: () => void
  readonly end: (account: Account) => void
  /** A whole reply: how long it took, and how long its first content, in milliseconds. */
  readonly reply: (latency: number, first: number | undefined) => void
  /** How old an event was when it came. */
  readonly age: (milliseconds: number) => void
  readonly error: (what: string) => void
  readonly wrong: (what: string) => void
  /** Replies since the beginning. */
  readonly counted: () => number
  readonly ages: () => number
  readonly failures: () => number
  readonly result: () => Slot
}

const problemsShown = 3

export function createTally(): Tally {
  const latencies: number[] = []
  const firsts: number[] = []
  const ages: number[] = []
  const problems = new Set<string>()
  let measuring = false
  let errors = 0
  let wrong = 0
  let account: Account = { seconds: 0 }

  function note(what: string): void {
    if (problems.size < problemsShown) problems.add(what)
  }

  return {
    begin: () => {
      measuring = true
    },
    end: (given) => {
      measuring = false
      account = given
    },
    reply: (latency, first) => {
      if (!measuring) return
      latencies.push(latency)
      if (first !== undefined) firsts.push(first)
    },
    age: (milliseconds) => {
      if (measuring) ages.push(milliseconds)
    },
    error: (what) => {
      errors += 1
      note(what)
    },
    wrong: (what) => {
      wrong += 1
      note(`wrong: ${what}`)
    },
    counted: () => latencies.length,
    ages: () => ages.length,
    failures: () => errors + wrong,
    result: () => {
      const [latency, first, age] = [latencies, firsts, ages].map(percentilesOf)
      return {
        requests: latencies.length,
        chunks: 0,
        ...(latency === undefined ? {} : { latency }),
        ...(first === undefined ? {} : { first }),
        ...(age === undefined ? {} : { age }),
        ...{ errors, wrong, problems: [...problems] },
        ...account,
      }
    },
  }
}
