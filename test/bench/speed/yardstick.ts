// How fast the machine is just now, in the time that a piece of work takes which every proxy has to do.
import { median } from "./statistics.ts"

const lines = 20_000
const times = 25
/** The first ones cost memory that is new. */
const unmeasured = 10

/** Milliseconds to parse a megabyte of JSON. */
export function yardstickMs(): number {
  const text = JSON.stringify(
    Array.from({ length: lines }, (_, at) => `line ${at} of a "text" of some length\n`),
  )
  const took = Array.from({ length: times }, () => {
    const started = performance.now()
    JSON.parse(text)
    return performance.now() - started
  })
  return (median(took.slice(unmeasured)) / text.length) * 1e6
}
