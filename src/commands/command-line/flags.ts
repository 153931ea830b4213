// What the flags of each command mean, once they are known to be flags: types and allowed words. They are few and
// plain, and every start waits for them: a library for schemas would take longer to load than all the rest.
import { withHome } from "../../config/load/disk.ts"
import type { Read } from "../../config/settings/values.ts"

/** One flag: what it was given (undefined: nothing) read, or what it must be. */
type Flag<T> = (given: unknown) => Read<T>

type Shape = Readonly<Record<string, Flag<unknown>>>

type FlagValues<S extends Shape> = {
  readonly [Name in keyof S]: S[Name] extends Flag<infer T> ? T : never
}

type Shapes = typeof shapes

/** The flags of one command, as they are read. */
export type FlagsOf<Name extends CommandName> = FlagValues<Shapes[Name]>

/** A command with flags. */
export type CommandName = keyof Shapes

/** Every flag of a command, or the first problem as a sentence: `--port must be a number …, not "x".` */
export function readFlags<Name extends CommandName>(
  name: Name,
  given: Readonly<Record<string, unknown>>,
): Read<FlagsOf<Name>> {
  const shape = shapes[name]
  const values: Record<string, unknown> = {}
  for (const [flag, readFlag] of Object.entries<Flag<unknown>>(shape)) {
    const read = readFlag(given[flag])
    if (!read.ok) return { ok: false, why: `--${flag} ${read.why}, not ${JSON.stringify(given[flag])}.` }
    values[flag] = read.value
  }
  return hasAll(values, shape) ? { ok: true, value: values } : { ok: false, why: "flags are missing." }
}

/** They were put there one by one, each by its own reader. */
function hasAll<S extends Shape>(values: object, shape: S): values is FlagValues<S> {
  return Object.keys(shape).every((name) => name in values)
}

const ok = <T>(value: T): Read<T> => ({ ok: true, value })
const wrong = (why: string) => ({ ok: false, why }) as const

/** A text of this form, if there is one. */
const text =
  (form: RegExp, why: string, most = Number.POSITIVE_INFINITY): Flag<string | undefined> =>
  (given) => {
    if (given === undefined) return ok(undefined)
    const isRight = typeof given === "string" && form.test(given) && !(Number(given) > most)
    return isRight ? ok(given) : wrong(why)
  }

/** The same as a number; `usual` where nothing is given. */
const number =
  <const U extends number | undefined>(form: RegExp, why: string, usual: U): Flag<number | U> =>
  (given) => {
    if (given === undefined) return ok(usual)
    return typeof given === "string" && form.test(given) ? ok(Number(given)) : wrong(why)
  }

const oneOf =
  <const W extends readonly string[]>(words: W, why: string): Flag<W[number] | undefined> =>
  (given) => {
    const found = words.find((candidate) => candidate === given)
    return given === undefined || found !== undefined ? ok(found) : wrong(why)
  }

const word = text(/^/, "needs a value")
/** Shells put the home folder in place of a `~` at the beginning of a word alone, not in `--env=~/FILE`. */
const file: Flag<string | undefined> = (given) => {
  const read = word(given)
  return read.ok && read.value !== undefined ? ok(withHome(read.value)) : read
}
const on: Flag<boolean> = (given) =>
  given === undefined || typeof given === "boolean" ? ok(given === true) : wrong("takes no value")

const level = text(/^(debug|info|warn|warning|error)$/i, "must be DEBUG, INFO, WARNING or ERROR")
const port = text(/^\d{1,5}$/, "must be a number from 0 to 65535", 65_535)
const side = oneOf(["openai", "anthropic"], "must be openai or anthropic")
const target = oneOf(["openai", "responses", "anthropic"], "must be openai, responses or anthropic")
const workers = text(/^(auto|[1-9]|[1-5]\d|6[0-4])$/, "must be a number from 1 to 64, or auto")
const lines = number(/^\d{1,7}$/, "must be a number of lines", 50)
const rounds = number(/^([1-9]|[1-9]\d|100)$/, "must be a number from 1 to 100", 5)
const tokens = number(/^[1-9]\d{0,5}$/, "must be a number of tokens", 512)
const days = number(/^[1-9]\d{0,3}$/, "must be a number of days from 1 to 9999", undefined)
const seconds = text(/^[1-9]\d{0,3}$/, "must be a number of seconds from 1 to 9999")

const shapes = {
  serve: {
    ...{ host: word, port, env: file, config: file, "log-level": level, workers },
    ...{ demo: on, detach: on, name: word, instances: word },
  },
  status: { name: word, json: on },
  health: { url: word, env: file },
  stop: { name: word, all: on },
  restart: { name: word, all: on, force: on },
  logs: { name: word, follow: on, lines },
  run: { model: word, env: file, "log-level": level, demo: on },
  convert: { file: word, to: target, from: side, model: word, request: file, env: file, explain: on },
  "count-tokens": { file: word, model: word, estimate: on, "by-part": on, json: on },
  models: { json: on, all: on, schema: on, forget: word, env: file, config: file },
  stats: { days, name: word, url: word, json: on },
  init: { provider: word, force: on, stdout: on },
  "test-connection": { model: word, all: on, env: file, config: file, timeout: seconds, json: on },
  bench: {
    ...{ model: word, rounds, "max-tokens": tokens, prompt: word, demo: on },
    ...{ env: file, config: file, timeout: seconds, json: on },
  },
  demo: { once: on, port },
} as const
