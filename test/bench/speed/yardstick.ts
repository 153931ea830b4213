// How fast the machine is just now, in the time that a piece of work takes which every proxy has to do.
import { median } from "./statistics.ts"

const lines = 20_000
const times = 9

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
  return (median(took) / text.length) * 1e6
}
