// A table: which error of an upstream becomes which error of ours, and who may try again.
import type { FaultKind } from "../fault.ts"
import { isNotInPlan, saysNoChannel, saysNoCredit, saysPaused } from "./account.ts"
import { isFiltered, promptFiltered, zhipuSensitive } from "./filtered-prompt.ts"
import { lostMedium, mediumRefused } from "./media-error.ts"

/** The part of an error's circumstances that its verdict depends on. */
interface Circumstances {
  readonly provider: string
  readonly model: string
  readonly url: string
  readonly keyName: string
}

interface Verdict {
  readonly kind: FaultKind
  readonly status: number
  /** The proxy may send the same request again. */
  readonly retry?: boolean | "once"
  /** The client should not. */
  readonly final?: boolean
  readonly message?: (text: string) => string
}

// Groq's 413, OpenAI's 429: it alone is more than the account may use in a minute. Claude Code tells a 413 as one of
// images that add up to more than 32 MB.
const aboveLimit = /request too large for .{1,200}\btokens per (?:min|day)/
const waitingIsNoUse = "(waiting is no use: take a higher limit, another model or a shorter conversation)"
// One word, quoted or not, may stand between "model" and what is wrong with it; more would be another sentence.
const modelMissing =
  /model_?not_?found|model_not_supported|model_decommissioned|modelnotopen|\binvalid_model\b|deploymentnotfound|no such model|unknown model\b|not found the model|not a valid model|model is not supported when using|\bmodels?:? (?:\S+ )?(?:is |was )?(?:does(?:n't| not) exist|not (?:found|exist|available)|could not be found)|does not exist or you do not have access|api deployment for this resource does not exist/
const wrongKey = /api key not valid|api_key_invalid|invalid_api_key|(?:incorrect|invalid) api key/
const overloaded =
  /overloaded|over capacity|at capacity|no capacity|capacity exceeded|insufficient_system_resource|no available|server is busy|system is (?:too )?busy|temporarily unavailable/
const policy =
  /content_filter|content management policy|data_inspection_failed|content policy|moderation|sensitive|usage guidelines/
const rateLimited = /rate_limit|rate limit|too many requests|quota/

// What the model wrote is no call, or no JSON; the next time it may be (pydantic/pydantic-ai#2774, #4354), if it had room.
const illWritten = /^(?!.*max completion tokens reached).*\b(?:tool_use|output_parse|json_validate)_failed\b/s
// LM Studio's 400s when the model was put away, or fell over: it is loaded again for the next request
// (lmstudio-ai/lmstudio-bug-tracker#1057, #1492; charmbracelet/crush#2546).
const putAway = /\bmodel (?:is |was )?unloaded\b|\bmodel has crashed\b|\boperation canceled\b/
// Bedrock behind gateways that have one status for all of its exceptions.
const throttled = /throttlingexception|too many (?:tokens|requests), please wait/

// Codex and Pro models under another name, at OpenAI and at Azure (langchain-azure#228), and not what makes no text;
// Copilot (ericc-ch/copilot-api#208).
const responsesAlone =
  /only supported in v1\/responses|unsupported_api_for_model|not accessible via the \/chat\/completions|chatcompletion operation does not work with the specified model(?!,? \S*(?:embed|dall-e|image|whisper|tts|sora))/

// OpenRouter's 404s when the model exists, but no host of it does what the request asks for; or none that the account
// allows, which is nothing that the request could change (musistudio/claude-code-router#285, truefoundry/models#826).
const noHost = /no endpoints found/
const noHostAllowed = /no allowed providers|no endpoints available/
// LM Studio says it with a 200 (base URL without /v1).
const noEndpoint = /unexpected endpoint or method/

// Zhipu's numbers (docs.bigmodel.cn, error codes): what its texts say in Chinese.
const zhipu = { noModel: "1211", busy: "1305" } as const

interface Case {
  readonly status: number
  /** Message, codes and types of the error in lower case. */
  readonly words: string
  /** The codes and types alone: a number in a message may mean anything. */
  readonly codes: readonly string[]
  /** Milliseconds the upstream asked to wait. */
  readonly wait: number | undefined
  /** It came within a reply, which may have begun. */
  readonly inside: boolean
}

interface Rule {
  readonly when: (given: Case) => boolean
  readonly verdict: (given: Case, about: Circumstances) => Verdict
}

const rateLimit = { kind: "rate_limit_error", status: 429 } as const
const answer = (verdict: Verdict) => () => verdict
const among =
  (...statuses: readonly number[]) =>
  ({ status }: Pick<Case, "status">) =>
    statuses.includes(status)

/** The request itself is at fault, in these words. */
function refused(message: (text: string) => string): Verdict {
  return { kind: "invalid_request_error", status: 400, message }
}

// The first rule that applies decides.
const rules: readonly Rule[] = [
  {
    // A quota that says when it is over is a rate limit; one that does not is an empty account.
    when: ({ status, words, codes, wait }) =>
      wait === undefined &&
      (status === 402 || (saysNoCredit(words, codes) && among(400, 403, 412, 429)({ status }))),
    verdict: answer({ kind: "billing_error", status: 402, final: true }),
  },
  {
    when: ({ status, words }) => among(413, 429)({ status }) && aboveLimit.test(words),
    verdict: ({ status }, { provider }) => ({
      ...(status === 429 ? rateLimit : { kind: "invalid_request_error", status: 400 }),
      ...{ final: true, message: (text) => `[${provider}] ${text} ${waitingIsNoUse}` },
    }),
  },
  {
    when: ({ status, words }) => status === 429 && saysPaused(words),
    verdict: answer({ ...rateLimit, final: true }),
  },
  {
    when: ({ status, words, codes }) => status === 429 && isNotInPlan(words, codes),
    verdict: (_given, about) => missingModel(about),
  },
  {
    // A channel that failed may be back soon; one that nobody made is not.
    when: ({ status, words }) => among(400, 500, 503)({ status }) && saysNoChannel(words),
    verdict: (_given, about) => ({ ...missingModel(about, channelsHint), retry: "once" }),
  },
  {
    when: ({ status, words, codes }) =>
      status === 429 && (overloaded.test(words) || codes.includes(zhipu.busy)),
    verdict: answer({ kind: "overloaded_error", status: 529, retry: true }),
  },
  {
    when: ({ status, words, wait }) =>
      status === 429 ||
      (status === 400 && throttled.test(words)) ||
      (wait !== undefined && (status === 402 || (status < 500 && rateLimited.test(words)))),
    verdict: answer({ ...rateLimit, retry: true }),
  },
  {
    // Gemini and xAI answer 400 to a wrong key.
    when: ({ status, words }) =>
      status === 401 || ((status === 400 || status === 403) && wrongKey.test(words)),
    verdict: (_given, about) => unauthorised(about),
  },
  {
    when: ({ status, words, codes }) =>
      status === 451 ||
      (status === 403 && (policy.test(words) || codes.includes(zhipuSensitive))) ||
      (among(400, 422)({ status }) && isFiltered(words, codes)),
    verdict: ({ inside }, about) => filteredPrompt(inside, about),
  },
  { when: among(403), verdict: answer({ kind: "permission_error", status: 403, final: true }) },
  {
    when: ({ status, words }) => among(400, 404)({ status }) && responsesAlone.test(words),
    verdict: (_given, { provider }) => ({
      ...{ kind: "api_error", status: 502, final: true },
      message: (text) =>
        `[${provider}] ${text} (in models.yaml, dialect: responses asks this model by the API that it knows)`,
    }),
  },
  { when: among(404), verdict: notFound },
  {
    // 500 is vLLM's for what it cannot open.
    when: ({ status, words }) => among(400, 422, 500)({ status }) && lostMedium(words) !== undefined,
    verdict: ({ words }, { provider }) =>
      refused((text) => mediumRefused(lostMedium(words) ?? "image", `[${provider}] ${text}`)),
  },
  {
    when: ({ status, words, codes }) =>
      (status === 400 || status === 422) && (modelMissing.test(words) || codes.includes(zhipu.noModel)),
    verdict: (_given, about) => missingModel(about),
  },
  { when: among(413), verdict: answer({ kind: "request_too_large", status: 413 }) },
  { when: among(405, 406, 415), verdict: answer({ kind: "api_error", status: 502, final: true }) },
  // 499 is Google's CANCELLED: somebody else's patience was over.
  { when: among(408, 425, 499, 504), verdict: answer({ kind: "timeout_error", status: 504, retry: true }) },
  { when: among(409), verdict: answer({ kind: "conflict_error", status: 409, retry: true }) },
  {
    // 498 is Groq's "flex tier at capacity".
    when: ({ status, words }) =>
      among(498, 503, 529)({ status }) || (status >= 500 && overloaded.test(words)),
    verdict: answer({ kind: "overloaded_error", status: 529, retry: true }),
  },
  {
    when: ({ status, words }) => status === 400 && illWritten.test(words),
    verdict: answer({ kind: "invalid_request_error", status: 400, retry: true }),
  },
  {
    when: ({ status, words }) => status === 400 && putAway.test(words),
    verdict: answer({ kind: "api_error", status: 502, retry: true }),
  },
  {
    // Hugging Face's servers: the model failed while it wrote.
    when: among(424),
    verdict: answer({ kind: "api_error", status: 502, retry: true }),
  },
  {
    when: ({ status }) => status >= 400 && status < 500,
    verdict: answer({ kind: "invalid_request_error", status: 400 }),
  },
  { when: ({ words }) => noEndpoint.test(words), verdict: (_given, about) => missingEndpoint(about) },
]

/** What becomes of an upstream's error. Context overflow is not decided here, but before. */
export function judge(given: Case, about: Circumstances): Verdict {
  const rule = rules.find((candidate) => candidate.when(given))
  if (rule !== undefined) return rule.verdict(given, about)
  return { kind: "api_error", status: given.status === 500 ? 500 : 502, retry: true }
}

// Whatever names this header Claude Code tells as "Not logged in · Please run /login", in place of the message.
const headerOfKeys = /x-api-key/gi

function unauthorised(about: Circumstances): Verdict {
  const hint = about.keyName === "" ? "" : ` (the key comes from ${about.keyName})`
  return {
    kind: "authentication_error",
    status: 401,
    final: true,
    message: (text) => {
      const said = text.replace(headerOfKeys, "API key")
      return `[${about.provider}] the upstream refused the API key${hint}: ${said}`
    },
  }
}

function notFound({ words }: Case, about: Circumstances): Verdict {
  if (modelMissing.test(words) || mentions(words, about.model.toLowerCase())) return missingModel(about)
  if (noHost.test(words)) return { kind: "invalid_request_error", status: 400 }
  if (noHostAllowed.test(words)) return { kind: "api_error", status: 502, final: true }
  return missingEndpoint(about, "404 at ")
}

function missingEndpoint(about: Circumstances, how = ""): Verdict {
  const message = (text: string) =>
    `[${about.provider}] the upstream has no such endpoint: ${how}${about.url}; check the base URL (${text})`
  return { kind: "api_error", status: 502, final: true, message }
}

/** Is the name there as a word of its own? */
function mentions(words: string, name: string): boolean {
  const at = name === "" ? -1 : words.indexOf(name)
  return at >= 0 && !/[a-z0-9]/.test((words[at - 1] ?? "") + (words[at + name.length] ?? ""))
}

// What stopped a reply may let the next one pass.
function filteredPrompt(inside: boolean, { provider }: Circumstances): Verdict {
  if (inside) return { kind: "invalid_request_error", status: 400 }
  return refused((text) => promptFiltered(`[${provider}] ${text}`))
}

const channelsHint = "; check the model's name, and the channels of the key's group at the gateway"

function missingModel(about: Circumstances, hint = ""): Verdict {
  const message = (text: string) => `model: ${about.model} ([${about.provider}] ${text}${hint})`
  return { kind: "not_found_error", status: 404, message }
}
