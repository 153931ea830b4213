// What one model of models.yaml may say. Strict: what has no effect is refused, never ignored.
import { z } from "zod"
import { redact } from "../protocol/redact.ts"
import { providers } from "../providers/table.ts"
import { findSetting } from "./settings.ts"
import { readBaseUrl } from "./upstreams.ts"

/** The words for a value of the wrong kind. They follow the key's name in a message. */
function wants(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => {
    if (input === undefined) return "is missing: every model needs one"
    return input === null ? "is empty: give a value or take the line out" : what
  }
}

const wantsText = wants("must be a text: put quotes around it")
const wantsCount = wants("must be a whole number of 1 or more")
const wantsPrice = wants("must be a number of US dollars, 0 or more")
const text = z.string({ error: wantsText }).trim().min(1, "is empty: give a value or take the line out")
const count = z
  .number({ error: wantsCount })
  .int({ error: wantsCount, abort: true })
  .min(1, { error: wantsCount })
const perMillion = z.number({ error: wantsPrice }).min(0, { error: wantsPrice })

/** The dearest models stay far below this limit, prices for a million tokens far above. */
function perToken(millionKey: string) {
  return perMillion
    .max(0.01, `is the price of one token: give the price of a million as ${millionKey}`)
    .optional()
}

/** A text that is checked by a function: what it gives back is wrong with it. */
function checkedText(problemOf: (value: string) => string | undefined) {
  return text.superRefine((value, context) => {
    const message = value === "" ? undefined : problemOf(value)
    if (message !== undefined) context.addIssue({ code: "custom", message })
  })
}

function addressProblem(value: string): string | undefined {
  const read = readBaseUrl(value, "api_key_name")
  return read.ok ? undefined : read.why
}

const wantsName = "the key itself stays out of this file: give the name of the variable that holds it"

function keyNameProblem(value: string): string | undefined {
  if (looksLikeKey(value)) return `looks like a key: ${wantsName}, like RELAY_API_KEY`
  if (!/^[A-Za-z_]\w*$/.test(value)) return "must be the bare name of a variable, like RELAY_API_KEY"
  const setting = findSetting(value)
  if (setting === undefined || setting.kind === "secret") return undefined
  return `must name a variable that holds a key: ${setting.name} is another setting`
}

/** Names have underscores between words; keys are one long word, and most have digits in it. */
function looksLikeKey(value: string): boolean {
  return redact(value, []) !== value || (value.length >= 20 && /\d/.test(value) && !value.includes("_"))
}

const yesOrNo = z.boolean({ error: wants("must be true or false") }).optional()

// The built-in demo is no place to send requests to.
const providerIds = providers.map((row) => row.id).filter((id) => id !== "demo")

export const ModelSchema = z.strictObject({
  model_id: text,
  model_name: text.optional(),
  provider: z.enum(providerIds, { error: `must be one of ${providerIds.join(", ")}` }).optional(),
  api_base: checkedText(addressProblem).optional(),
  api_key_name: checkedText(keyNameProblem).optional(),
  max_tokens: count.optional(),
  max_input_tokens: count.optional(),
  vision: yesOrNo,
  can_stream: yesOrNo,
  direct: yesOrNo,
  dialect: z
    .enum(["chat", "responses", "messages"], { error: wants("must be chat, responses or messages") })
    .optional(),
  input_cost_per_token: perToken("input_cost_per_million_tokens"),
  output_cost_per_token: perToken("output_cost_per_million_tokens"),
  cache_read_cost_per_token: perToken("cache_read_cost_per_million_tokens"),
  input_cost_per_million_tokens: perMillion.optional(),
  output_cost_per_million_tokens: perMillion.optional(),
  cache_read_cost_per_million_tokens: perMillion.optional(),
})

export type ModelFields = z.infer<typeof ModelSchema>

/** Every key a model may have. */
export const modelKeys: readonly string[] = Object.keys(ModelSchema.shape)

/** Keys that are to come: refused by name, so that nobody believes they have an effect. */
export const laterModelKeys: ReadonlySet<string> = new Set([
  ...["reasoning", "reasoning_effort", "temperature", "extra_headers", "extra_body"],
  ...["fallbacks", "profile"],
])
