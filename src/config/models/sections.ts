// The form of those sections of models.yaml that say what settings say as well.
import { z } from "zod"
import { readBaseUrl } from "../network/addresses.ts"
import {
  amountOfSetting,
  anyText,
  checkedText,
  count,
  field,
  listOfAll,
  mapping,
  once,
  sampling,
  text,
  tokens,
  wants,
  words,
  yesOrNo,
} from "./fields.ts"

const model = (what: string) => field(text, `${what}: a model_id, a model's name, or PROVIDER/NAME.`)

export const tiersSchema = once(() =>
  mapping("tiers", {
    big: model("Stands for opus (BIG_MODEL)"),
    middle: model("Stands for sonnet (MIDDLE_MODEL)"),
    small: model("Stands for haiku (SMALL_MODEL)"),
  }).describe("What Claude's families stand for."),
)

export const routerSchema = once(() =>
  mapping("router", {
    default: model("For whatever no other rule takes (ROUTER_DEFAULT)"),
    background: model("For small tasks in the background (ROUTER_BACKGROUND)"),
    think: model("For requests with thinking (ROUTER_THINK)"),
    long_context: model("For long requests (ROUTER_LONG_CONTEXT)"),
    long_context_threshold: field(tokens, "Tokens from which a request is long (LONG_CONTEXT_THRESHOLD)."),
  }).describe("Models by what is asked."),
)

// A header takes visible ASCII only.
function keyProblem(value: string): string | undefined {
  if (/^\$\{?\w+\}?$/.test(value))
    return "names a variable, which is not followed here: set it in .env instead"
  return /^[!-~]+$/.test(value)
    ? undefined
    : "holds a space or a character no key can have: copy the key again"
}

const clientKey = () =>
  checkedText((value) =>
    value.includes(",") ? "holds a comma: give each key a line of its own" : keyProblem(value),
  )
const clientKeys = () =>
  field(listOfAll(clientKey(), "texts"), "Keys that clients may use (ALLOWED_API_KEYS).")
const perMinute = "a whole number of requests a minute"

export const authSchema = once(() =>
  mapping("auth", {
    require_api_key: field(yesOrNo, "Must clients send a key?"),
    allowed_keys: clientKeys(),
    allowed_api_keys: clientKeys(),
    api_keys: clientKeys(),
    rate_limit: field(
      z.union([z.boolean(), count], { error: wants(`must be true, false, or ${perMinute}`) }),
      "true (60), or requests a minute for each key (RATE_LIMIT_REQUESTS_PER_MINUTE).",
    ),
    rate_limit_requests_per_minute: field(
      amountOfSetting("RATE_LIMIT_REQUESTS_PER_MINUTE"),
      "Requests a minute for each key.",
    ),
  }).describe("What is asked of clients."),
)

const lifetime = () => field(amountOfSetting("CACHE_TTL"), "Seconds that a cached reply is used (CACHE_TTL).")
const redis = () =>
  checkedText((value) =>
    /^rediss?:\/\/./.test(value) ? undefined : "must be an address that begins with redis:// or rediss://",
  )

export const cacheSchema = once(() =>
  mapping("cache", {
    enabled: field(yesOrNo, "Answer equal requests once (CACHE_ENABLED)."),
    ttl: lifetime(),
    default_ttl: lifetime(),
    max_bytes: field(amountOfSetting("CACHE_MAX_BYTES"), "Memory for cached replies (CACHE_MAX_BYTES)."),
    redis_url: field(redis(), "Redis that shares limits and cache between proxies (REDIS_URL)."),
  }).describe("The cache of replies."),
)

const upstreamKey = () =>
  checkedText((value) => {
    const [problem] = value.split(",").flatMap((key) => keyProblem(key.trim()) ?? [])
    return problem
  }, anyText)

export const openAiSchema = once(() =>
  mapping("openai", {
    base_url: field(
      checkedText((value) => {
        const read = readBaseUrl(value, "api_key")
        return read.ok ? undefined : read.why
      }),
      "Where requests go (OPENAI_BASE_URL).",
    ),
    api_key: field(upstreamKey(), "Its key (OPENAI_API_KEY); better kept in .env."),
    timeout: field(
      amountOfSetting("REQUEST_TIMEOUT"),
      "Seconds of silence that end a request (REQUEST_TIMEOUT).",
    ),
    max_retries: field(amountOfSetting("MAX_RETRIES"), "Further attempts after a failure (MAX_RETRIES)."),
  }).describe("The default upstream."),
)

export const deepSeekSchema = once(() =>
  mapping("deepseek", {
    model_name: model("For all tiers that nothing else is said of"),
    default_thinking: field(
      z.union([z.boolean(), words(["auto"])], { error: wants("must be true, false or auto") }),
      "Whether to think (DEEPSEEK_THINKING).",
    ),
    max_tokens: field(tokens, "The limit of a reply where the client names none (DEFAULT_MAX_TOKENS)."),
    ...sampling(),
  }).describe("DeepSeek as the default upstream, in the form of an older file."),
)
