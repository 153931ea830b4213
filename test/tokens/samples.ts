// Texts of every class the estimator is judged by, each of 500 tokens or more: written for it (texts/) or generated.
import { readFileSync } from "node:fs"
import { createRandom, type Random } from "../support/random.ts"

export interface Sample {
  readonly name: string
  readonly text: string
}

const written = ["english", "chinese", "mixed", "typescript", "python", "diff"].map(
  (name): Sample => ({ name, text: readFileSync(new URL(`texts/${name}.txt`, import.meta.url), "utf8") }),
)

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n")

const bytes = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.integer(0, 255)))

function logText(random: Random): string {
  const two = (value: number): string => String(value).padStart(2, "0")
  return lines(40, () => {
    const time = `2026-03-${two(random.integer(1, 28))}T${two(random.integer(0, 23))}:${two(random.integer(0, 59))}:07.123Z`
    const level = random.pick(["INFO ", "WARN ", "ERROR", "DEBUG"])
    const where = random.pick(["http.server", "db.pool", "auth", "queue-worker-3"])
    const what = random.pick([
      `request ${bytes(random, 6).toString("hex")} finished in ${random.integer(1, 4000)}ms status=200`,
      `connection to 10.0.${random.integer(0, 255)}.${random.integer(0, 255)}:5432 refused, retrying`,
      `user_id=${random.integer(1000, 99999)} session expired after ${random.integer(10, 90)} minutes`,
      "cache miss, falling back to the primary store",
    ])
    return `${time} ${level} [${where}] ${what}`
  })
}

function jsonText(random: Random, indent: number): string {
  const items = Array.from({ length: 24 }, (_, index) => ({
    id: random.integer(1, 1_000_000),
    path: `src/${random.pick(["server", "client", "shared"])}/module-${index}.ts`,
    matches: Array.from({ length: 2 }, () => ({
      line: random.integer(1, 900),
      column: random.integer(1, 80),
      text: random.pick(["return undefined", 'throw new Error("not found")', "const value = await load()"]),
    })),
    isBinary: random.chance(0.2),
    modifiedAt: "2026-02-11T09:30:00.000Z",
    score: Number(random.next().toFixed(4)),
  }))
  return JSON.stringify({ type: "tool_result", results: items, truncated: false }, null, indent)
}

const generated: readonly Sample[] = [
  { name: "log", text: logText(createRandom(1)) },
  { name: "json, compact", text: jsonText(createRandom(2), 0) },
  { name: "json, indented", text: jsonText(createRandom(3), 2) },
  { name: "base64", text: bytes(createRandom(4), 2500).toString("base64") },
  { name: "hex", text: lines(40, (index) => bytes(createRandom(index + 5), 20).toString("hex")) },
  {
    name: "numbers",
    text: lines(60, (index) => {
      const random = createRandom(index + 50)
      return Array.from({ length: 6 }, () => (random.next() * 2000 - 1000).toFixed(2)).join(",")
    }),
  },
]

export const samples: readonly Sample[] = [...written, ...generated]
