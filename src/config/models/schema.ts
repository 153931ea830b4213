// What one model and one provider of models.yaml may say. Strict: what has no effect is refused, never ignored.
import { z } from "zod"
import { providers } from "../../providers/table.ts"
import { readProxy } from "../network/network.ts"
import {
  address,
  body,
  checkedText,
  effort,
  empty,
  field,
  headers,
  keyName,
  listOfAll,
  mapping,
  once,
  perMillion,
  perToken,
  sampling,
  text,
  tokens,
  wants,
  wantsText,
  words,
  yesOrNo,
} from "./fields.ts"
import { overridesSchema } from "./profile-schema.ts"

// The built-in demo is no place to send requests to.
export const rowIds: readonly string[] = providers.map((row) => row.id).filter((id) => id !== "demo")

/** What models and providers may both say of the way to them. */
const access = once(() => ({
  api_base: field(address, "Where it is served, without /chat/completions."),
  api_key_name: field(keyName, "The variable that holds the key; the key itself stays out of this file."),
  profile: field(words(rowIds), "The provider whose rules count, whoever serves it."),
  extra_headers: field(headers, "Headers sent with every request."),
  extra_body: field(body, "Fields sent in every request body; what the proxy writes itself wins."),
  ...sampling(),
  reasoning_effort: field(effort, "How much to think: off, minimal, low, medium, high, xhigh or max."),
  overrides: field(overridesSchema(), "Single rules for speaking to it, over those that are known."),
}))

export const modelSchema = once(() =>
  mapping(
    "a model",
    {
      model_id: z
        .string({ error: wants(wantsText, "is missing: every model needs one") })
        .trim()
        .min(1, empty)
        .describe("The name that settings and clients call it by."),
      model_name: field(text, "What its server calls it; model_id when left out."),
      provider: field(
        z.union([z.enum(rowIds), text], { error: wants(wantsText) }),
        "A known provider, or one of this file's own: its address, key and rules are taken.",
      ),
      ...access(),
      max_tokens: field(tokens, "The longest reply it can give, in tokens (8k is 8192)."),
      max_input_tokens: field(tokens, "Its context window, in tokens (128k is 131072)."),
      context: field(tokens, "An older name for max_input_tokens."),
      vision: field(yesOrNo, "Can it look at images?"),
      can_stream: field(
        yesOrNo,
        "false: it is asked for whole replies, and the client gets a stream all the same.",
      ),
      direct: field(yesOrNo, "It speaks Anthropic's own API: requests are passed through as they are."),
      dialect: field(words(["chat", "responses", "messages"]), "The API that is spoken."),
      reasoning: field(yesOrNo, "Can it be asked to think?"),
      fallbacks: field(
        listOfAll(text, "model ids"),
        "Models to take when this one fails: model ids of this file, or PROVIDER/NAME.",
      ),
      input_cost_per_token: field(
        perToken("input_cost_per_million_tokens"),
        "US dollars for one token that is read.",
      ),
      output_cost_per_token: field(
        perToken("output_cost_per_million_tokens"),
        "US dollars for one token that is written.",
      ),
      cache_read_cost_per_token: field(
        perToken("cache_read_cost_per_million_tokens"),
        "US dollars for one token that is read from a cache.",
      ),
      cache_write_cost_per_token: field(
        perToken("cache_write_cost_per_million_tokens"),
        "US dollars for one token that is written into a cache.",
      ),
      input_cost_per_million_tokens: field(perMillion, "US dollars for a million tokens that are read."),
      output_cost_per_million_tokens: field(perMillion, "US dollars for a million tokens that are written."),
      cache_read_cost_per_million_tokens: field(
        perMillion,
        "US dollars for a million tokens that are read from a cache.",
      ),
      cache_write_cost_per_million_tokens: field(
        perMillion,
        "US dollars for a million tokens that are written into a cache.",
      ),
    },
    ", beginning with model_id",
  ).describe("A model of your own."),
)

export type ModelFields = z.infer<ReturnType<typeof modelSchema>>

/** Every key a model may have. */
export function modelKeys(): readonly string[] {
  return Object.keys(modelSchema().shape)
}

const proxyAddress = () =>
  checkedText((value) => {
    const read = readProxy(value, "proxy")
    return read.ok ? undefined : read.why
  })

export const providerSchema = once(() =>
  mapping("a provider", {
    ...access(),
    proxy: field(
      z.union([z.literal(false), proxyAddress()], {
        error: wants("must be the address of an HTTP proxy, like http://proxy.example:3128, or false"),
      }),
      "An HTTP proxy for this provider alone; false: none, whatever the settings say.",
    ),
  }).describe("A provider of your own, or what you change of a known one."),
)

export type ProviderFields = z.infer<ReturnType<typeof providerSchema>>

/** What a provider of one's own may be called. */
export const providerIdForm = /^[a-z0-9][a-z0-9_-]*$/

/** Words that stand for something else where a provider could be named. */
export const reservedIds: readonly string[] = ["generic", "demo", "custom"]
