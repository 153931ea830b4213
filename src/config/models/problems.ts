// What is wrong with a models.yaml, as values: where, and in which words. No text quotes a value of the file,
// and of its keys only what has the form of a word: any of them may be an API key in the wrong place.
import type { z } from "zod"
import { nearestKey } from "../settings/near-names.ts"

export type Path = readonly PropertyKey[]

export interface Problem {
  readonly path: Path
  readonly part: "key" | "value"
  readonly text: string
}

/** The line that something stands in. */
export type LineOf = (path: Path) => number

/** Something read from the file, with what was wrong with it; undefined when it cannot be used. */
export interface Part<T> {
  readonly value: T
  readonly problems: readonly Problem[]
}

export const keyAt = (path: Path, text: string): Problem => ({ path, part: "key", text })
export const valueAt = (path: Path, text: string): Problem => ({ path, part: "value", text })

/** The same for a key, or a value, in words that are found when they are read: that may take a while. */
export function sayLater(path: Path, part: Problem["part"], say: () => string): Problem {
  return {
    path,
    part,
    get text() {
      return say()
    },
  }
}

// Nobody reads more of them at once; and the words for thousands would take longer than all the rest.
const mostProblems = 50

/** The first of many problems, and how many there are besides. They come in the order of the file. */
export function firstOf(problems: readonly Problem[]): readonly Problem[] {
  const more = problems.slice(mostProblems)
  const [next] = more
  if (next === undefined) return problems
  const count = more.length === 1 ? "1 more problem" : `${more.length} more problems`
  const { path, part } = next
  return [...problems.slice(0, mostProblems), { path, part, text: `and ${count} from here on.` }]
}

type Schema<T> = z.ZodType<T>

/** Reads a value by its schema. `name` is what a message calls the value itself: "a model", "router". */
export function readPart<T>(
  schema: Schema<T>,
  value: unknown,
  path: Path,
  name: string,
): Part<T | undefined> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return { value: parsed.data, problems: [] }
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, path, name))
  return { value: undefined, problems }
}

function problemsOf(issue: z.core.$ZodIssue, path: Path, name: string): readonly Problem[] {
  const place = [...path, ...issue.path]
  if (issue.code === "unrecognized_keys") {
    const [what = "", ...known] = issue.message.split("\n")
    return issue.keys.map((key) => sayLater([...place, key], "key", () => explainKey(key, what, known)))
  }
  const part = issue.code === "custom" && issue.params?.["part"] === "key" ? "key" : "value"
  return [{ path: place, part, text: sentence(`${labelOf(issue.path, name)} ${issue.message}`) }]
}

/** What is said of a key that nobody knows here. */
function explainKey(key: string, what: string, known: readonly string[]): string {
  if (key === "<<") return "<< is not followed here: write out what it would bring."
  return `${shown(key)} is not a key of ${what}.${hint(key, known)}`
}

function sentence(text: string): string {
  return /[.?]$/.test(text) ? text : `${text}.`
}

/** `overrides.drop[1]`; of what cannot be shown: "a key of extra_headers". */
function labelOf(path: Path, name: string): string {
  if (path.length === 0) return name
  let label = ""
  for (const step of path) {
    if (typeof step === "number") label += `[${step}]`
    else if (shown(String(step)) === unnamed) return label === "" ? unnamed : `a key of ${label}`
    else label += `${label === "" ? "" : "."}${String(step)}`
  }
  return label
}

/** The known key that was probably meant, or all of them. */
export function hint(key: string, known: readonly string[]): string {
  const meant = nearestKey(key, known)
  return meant === undefined ? ` Known: ${known.join(", ")}.` : ` Did you mean ${meant}?`
}

const unnamed = "this"

/** Only what has the form of a word: a key without a colon behind it may have become a name by mistake. */
export function shown(key: string): string {
  return /^[A-Za-z][A-Za-z_-]{0,39}$/.test(key) ? key : unnamed
}
