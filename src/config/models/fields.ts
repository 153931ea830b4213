// The kinds of values that models.yaml has, each with the words for what is wrong with it. A message follows the
// key's name, and the full stop is put behind it.
import { z } from "zod"
import { redact } from "../../protocol/redact.ts"
import { readBaseUrl } from "../network/addresses.ts"
import { refusedHeaders } from "../network/headers.ts"
import { nearestKey } from "../settings/near-names.ts"
import type { Setting } from "../settings/setting.ts"
import { findSetting, type SettingName } from "../settings/settings.ts"
import { amountOf, numberWithin } from "../settings/values.ts"
import { notJson } from "./plain.ts"

export const empty = "is empty: give a value or take the line out"

/** Made when it is first asked for, and then kept: a start without a models.yaml shall not wait for its schemas. */
export function once<T>(make: () => T): () => T {
  const made: T[] = []
  return () => {
    const [first = make()] = made
    if (made.length === 0) made.push(first)
    return first
  }
}

/** The words for a value of the wrong kind. */
export function wants(what: string, missing = "is missing: give one") {
  return ({ input }: { readonly input?: unknown }): string => {
    if (input === undefined) return missing
    return input === null ? empty : what
  }
}

/** A key that may be left out, with the line that editors show for it. */
export function field<S extends z.ZodType>(schema: S, doc: string): z.ZodOptional<S> {
  return schema.optional().describe(doc)
}

/**
 * A mapping with these keys and no others. For keys it does not know the message holds what the mapping is
 * called and what it knows, a line each: problems.ts makes a sentence for each key of it.
 */
export function mapping<S extends z.core.$ZodLooseShape>(what: string, shape: S, begins = "") {
  const error = wants(`must be a mapping${begins}`)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? [what, ...Object.keys(shape)].join("\n") : error(issue),
  })
}

/** A list of such values. */
export function listOfAll<S extends z.ZodType>(schema: S, what: string) {
  return z.array(schema, { error: wants(`must be a list of ${what}: put a dash before each`) })
}

export const wantsText = "must be a text: put quotes around it"
export const text = z
  .string({ error: wants(wantsText) })
  .trim()
  .min(1, empty)
/** A text that may also be empty. */
export const anyText = z.string({ error: wants(wantsText) })
export const yesOrNo = z.boolean({ error: wants("must be true or false") })

/** A text that is checked by a function: what it gives back is wrong with it. */
export function checkedText(problemOf: (value: string) => string | undefined, schema = text) {
  return schema.superRefine((value, context) => {
    const message = value === "" ? undefined : problemOf(value)
    if (message !== undefined) context.addIssue({ code: "custom", message })
  })
}

/** One of these words. */
export function words<const W extends readonly string[]>(list: W) {
  return z.enum(list, {
    error: (issue) => {
      const known = `must be one of ${list.join(", ")}`
      const meant = typeof issue.input === "string" ? nearestKey(issue.input, list) : undefined
      return wants(meant === undefined ? known : `${known}: did you mean ${meant}?`)(issue)
    },
  })
}

/** A number from `least` to `most`. */
export function amount(least: number, most: number, whole = false, unit?: Setting["unit"]) {
  const error = wants(`must be a ${numberWithin(least, most, whole, unit)}`)
  const number = whole ? z.number({ error }).int({ error, abort: true }) : z.number({ error })
  return number.min(least, { error }).max(most, { error })
}

/** How a model draws its words, in the names of the API. */
export const sampling = once(() => ({
  temperature: field(amount(0, 2), "Sent where the client sends none, 0 to 2."),
  top_p: field(amount(0, 1), "Sent where the client sends none, 0 to 1."),
}))

export const count = amount(1, Number.MAX_SAFE_INTEGER, true)

/** A number with the range that the table gives a setting. */
export function amountOfSetting(name: SettingName) {
  const setting = findSetting(name)
  const [least, most] = setting?.range ?? [0, Number.MAX_SAFE_INTEGER]
  return amount(least, most, setting?.kind !== "number", setting?.unit)
}

const wantsTokens = { error: wants("must be a whole number of 1 or more, or one like 128k, which is 131072") }
/** A count of tokens, which may be written with a k for 1024. */
export const tokens = z
  .union(
    [
      z.number(wantsTokens).int(wantsTokens).min(1, wantsTokens),
      z.string(wantsTokens).regex(/^\s*[1-9]\d{0,12}((\.\d{1,6})?[kK])?\s*$/, wantsTokens),
    ],
    wantsTokens,
  )
  .transform((value) => (typeof value === "number" ? value : amountOf(value.trim())))

const wantsPrice = { error: wants("must be a number of US dollars, 0 or more") }
/** US dollars for a million tokens. */
export const perMillion = z.number(wantsPrice).min(0, wantsPrice)

/** The dearest models stay far below this limit, prices for a million tokens far above. */
export function perToken(millionKey: string) {
  return perMillion.max(0.01, `is the price of one token: give the price of a million as ${millionKey}`)
}

/** `false` stands for "none", which is null in a profile: a line left empty is more likely a mistake. */
export function orFalse<S extends z.ZodType>(schema: S, what: string) {
  return z
    .union([z.literal(false), schema], { error: wants(`must be ${what}, or false for none`) })
    .transform((value) => (value === false ? null : value))
}

/** An address requests go to. */
export const address = checkedText((value) => {
  const read = readBaseUrl(value, "api_key_name")
  return read.ok ? undefined : read.why
})

const wantsName = "the key itself stays out of this file: give the name of the variable that holds it"

/** The name of the variable that holds a key. */
export const keyName = checkedText((value) => {
  if (looksLikeKey(value)) return `looks like a key: ${wantsName}, like RELAY_API_KEY`
  if (!/^[A-Za-z_]\w*$/.test(value)) return "must be the bare name of a variable, like RELAY_API_KEY"
  const setting = findSetting(value)
  if (setting === undefined || setting.kind === "secret") return undefined
  return `must name a variable that holds a key: ${setting.name} is another setting`
})

/** Names have underscores between words; keys are one long word, and most have digits in it. */
export function looksLikeKey(value: string): boolean {
  return redact(value, []) !== value || (value.length >= 20 && /\d/.test(value) && !value.includes("_"))
}

/** Headers that are sent with every request. */
export const headers = z
  .record(
    z.string(),
    checkedText(
      (value) => (/^[\t -~\u0080-\u00ff]*$/.test(value) ? undefined : "holds what no header can carry"),
      anyText,
    ),
    { error: wants("must be a mapping of header names, each with a text") },
  )
  .superRefine((value, context) => {
    for (const name of Object.keys(value)) {
      const message = headerProblem(name)
      if (message !== undefined)
        context.addIssue({ code: "custom", path: [name], message, params: { part: "key" } })
    }
  })

const ownAlready = "is set by the proxy itself: take it out"

// A token of RFC 9110 §5.6.2.
function headerProblem(name: string): string | undefined {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return "is no name of a header, like X-Title"
  return refusedHeaders.has(name.toLowerCase()) ? ownAlready : undefined
}

// The proxy writes these in every request: what stood under their names would be lost.
const ownFields: readonly string[] = ["model", "messages", "input", "stream"]

/** What is sent in every request body besides what the proxy writes: what JSON can say, and nothing else. */
export const body = z
  .record(z.string(), z.unknown(), { error: wants("must be a mapping of fields of the request") })
  .superRefine((value, context) => {
    const found = notJson(value)
    if (found !== undefined) context.addIssue({ code: "custom", ...found })
  })
  .superRefine((value, context) => {
    for (const name of ownFields.filter((own) => Object.hasOwn(value, own))) {
      context.addIssue({ code: "custom", path: [name], message: ownAlready, params: { part: "key" } })
    }
  })

/** Words for how much to think, and what they are on the scale of profile.ts. */
const effortWords = ["off", "none", "minimal", "low", "medium", "high", "xhigh", "max"] as const
export const effort = words(effortWords).transform((word) => {
  if (word === "none") return "off"
  return word === "minimal" ? "low" : word
})
