// How near the token estimator comes to o200k_base, class by class, and how fast it is beside TextEncoder:
//
//   bun run bench:tokens [RESULT.json]
//
// The texts are those the tests use, with more of the generated ones; none of them was there when the estimator was
// fitted. Speed is the best of several rounds over the same text, the two taking turns.
import { writeFileSync } from "node:fs"
import { Tiktoken } from "js-tiktoken/lite"
import ranks from "js-tiktoken/ranks/o200k_base"
import { countParts, createCounter } from "../../src/tokens/count.ts"
import { estimateText } from "../../src/tokens/estimate.ts"
import { type Sample, samplesOf } from "../tokens/samples.ts"

const rounds = 15
const speedBytes = 2_000_000

interface ClassError {
  readonly class: string
  readonly samples: number
  readonly tokens: number
  readonly mean: number
  readonly lowest: number
  readonly highest: number
}

interface Speed {
  readonly text: string
  readonly bytes: number
  readonly megabytesPerSecond: number
  readonly encoderMegabytesPerSecond: number
  readonly ratio: number
}

function errorsOf(samples: readonly Sample[]): readonly ClassError[] {
  const encoding = new Tiktoken(ranks)
  const classes = Map.groupBy(samples, (sample) => sample.class)
  return [...classes].map(([name, members]) => {
    const tokens = members.map(({ text }) => encoding.encode(text, [], []).length)
    const errors = members.map(({ text }, index) => estimateText(text) / (tokens[index] ?? 1) - 1)
    return {
      class: name,
      samples: members.length,
      tokens: tokens.reduce((sum, count) => sum + count, 0),
      mean: errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length,
      lowest: Math.min(...errors),
      highest: Math.max(...errors),
    }
  })
}

const timeOf = (work: () => unknown): number => {
  const started = performance.now()
  work()
  return performance.now() - started
}

function speedOf(name: string, sample: string): Speed {
  const encoder = new TextEncoder()
  const text = sample.repeat(Math.ceil(speedBytes / encoder.encode(sample).length))
  const bytes = encoder.encode(text).length
  const times = Array.from({ length: rounds }, () => [
    timeOf(() => estimateText(text)),
    timeOf(() => encoder.encode(text)),
  ])
  const [estimating = 1, encoding = 1] = [0, 1].map((which) =>
    Math.min(...times.map((pair) => pair[which] ?? 1)),
  )
  const rate = (milliseconds: number): number => bytes / milliseconds / 1000
  return {
    text: name,
    bytes,
    megabytesPerSecond: rate(estimating),
    encoderMegabytesPerSecond: rate(encoding),
    ratio: encoding / estimating,
  }
}

function speedsOf(samples: readonly Sample[]): readonly Speed[] {
  const written = (name: string): string => samples.find((sample) => sample.name === name)?.text ?? ""
  const ascii = samples.filter(({ text }) => /^[\0-\x7f]*$/.test(text)).map(({ text }) => text)
  const all = samples.map(({ text }) => text)
  return [
    speedOf("everything in ASCII", ascii.join("\n")),
    ...["english", "typescript", "json, compact 0", "log 0", "base64 0"].map((name) =>
      speedOf(name, written(name)),
    ),
    ...["chinese", "japanese", "korean", "russian", "arabic", "hindi"].map((name) =>
      speedOf(name, written(name)),
    ),
    speedOf("everything", all.join("\n")),
  ]
}

/** The exact counter: its loading, a megabyte for the first time and again, and its longest work without a pause. */
async function counterTimes(samples: readonly Sample[]) {
  const stretches: number[] = []
  let since = performance.now()
  const counter = createCounter({
    pause: async () => {
      stretches.push(performance.now() - since)
      await new Promise((resolve) => setImmediate(resolve))
      since = performance.now()
    },
  })
  const text = samples
    .map((sample) => sample.text)
    .join("\n")
    .repeat(4)
  const blocks = Array.from({ length: 252 }, (_, at) => text.slice(at * 4000, at * 4000 + 4000))
  const request = (turns: number) => ({
    messages: blocks
      .slice(0, turns)
      .map((block) => ({ role: "user" as const, content: [{ type: "text" as const, text: block }] })),
  })
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const started = performance.now()
    since = started
    await work()
    return performance.now() - started
  }
  const load = await timed(() => counter.count("load"))
  const longestLoading = Math.max(...stretches.splice(0))
  const first = await timed(() => countParts(request(249), counter))
  const grown = [request(250), request(251), request(252)]
  const times: number[] = []
  for (const next of grown) times.push(await timed(() => countParts(next, counter)))
  const again = Math.min(...times)
  return { load, longestLoading, first, again, longestCounting: Math.max(...stretches) }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

function print(errors: readonly ClassError[], speeds: readonly Speed[]): void {
  console.log("class               samples   tokens      mean    lowest   highest")
  for (const row of errors) {
    const numbers = [row.mean, row.lowest, row.highest].map((share) => percent(share).padStart(10)).join("")
    console.log(
      `${row.class.padEnd(20)}${String(row.samples).padStart(7)}${String(row.tokens).padStart(9)}${numbers}`,
    )
  }
  console.log("\nspeed                     MB/s   TextEncoder   ratio")
  for (const row of speeds) {
    const [own, other] = [row.megabytesPerSecond, row.encoderMegabytesPerSecond].map((rate) =>
      rate.toFixed(0),
    )
    console.log(
      `${row.text.padEnd(22)}${String(own).padStart(8)}${String(other).padStart(14)}${row.ratio.toFixed(3).padStart(8)}`,
    )
  }
}

const samples = samplesOf(8)
const errors = errorsOf(samples)
const speeds = speedsOf(samples)
const counter = await counterTimes(samples)
print(errors, speeds)
const total = {
  samples: samples.length,
  bytes: samples.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
  tokens: errors.reduce((sum, row) => sum + row.tokens, 0),
  meanOfClasses: errors.reduce((sum, row) => sum + row.mean, 0) / errors.length,
  lowest: Math.min(...errors.map((row) => row.lowest)),
}
console.log(
  `\n${total.samples} texts, ${total.bytes} bytes, ${total.tokens} tokens: ${percent(total.meanOfClasses)} off on average, ${percent(total.lowest)} at worst`,
)
const ms = (value: number): string => `${value.toFixed(1)} ms`
console.log(
  `exact counter: ${ms(counter.load)} to load (longest stretch ${ms(counter.longestLoading)}), ${ms(counter.first)} for 1 MB (longest ${ms(counter.longestCounting)}), ${ms(counter.again)} with one more turn`,
)
const [result] = process.argv.slice(2)
if (result !== undefined)
  writeFileSync(result, `${JSON.stringify({ total, errors, speeds, counter }, null, 2)}\n`)
