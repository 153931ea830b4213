// The table of wire.md §6.3: which error of an upstream becomes which error of ours, and who may try again.
import type { FaultKind } from "./fault.ts"

/** The part of an error's circumstances that its verdict depends on. */
export interface Circumstances {
  readonly provider: string
  readonly model: string
  readonly url: string
  readonly keyName: string
}

export interface Verdict {
  readonly kind: FaultKind
  readonly status: number
  /** The proxy may send the same request again. */
  readonly retry?: boolean
  /** The client should not. */
  readonly final?: boolean
  readonly message?: (text: string) => string
}

const outOfCredit =
  /insufficient[_ ]quota|insufficient[_ ]balance|insufficient[_ ]credit|exceeded your current quota|out of credit|credit balance|balance is too low|not enough credits|\b1113\b|arrearage/
const modelMissing =
  /model_not_found|model not found|no such model|unknown model|invalid model|model .*(does not exist|not found|not exist|is not available)|does not exist or you do not have access|not a valid model/
const overloaded =
  /overloaded|over capacity|at capacity|no capacity|capacity exceeded|insufficient_system_resource|no available|server is busy|temporarily unavailable|\b1305\b/
const policy =
  /content_filter|content management policy|data_inspection_failed|content policy|moderation|\b1301\b|sensitive/
const rateLimited = /rate_limit|rate limit|too many requests|quota|\b130[23]\b/

interface Case {
  readonly status: number
  /** Message, codes and types of the error in lower case. */
  readonly words: string
  /** Milliseconds the upstream asked to wait. */
  readonly wait: number | undefined
}

interface Rule {
  readonly when: (given: Case) => boolean
  readonly verdict: (given: Case, about: Circumstances) => Verdict
}

const answer = (verdict: Verdict) => () => verdict
const among =
  (...statuses: readonly number[]) =>
  ({ status }: Case) =>
    statuses.includes(status)

// The first rule that applies decides.
const rules: readonly Rule[] = [
  {
    // A quota that says when it is over is a rate limit; one that does not is an empty account (wire.md §12).
    when: ({ status, words, wait }) =>
      status === 402 || (outOfCredit.test(words) && [400, 403, 429].includes(status) && wait === undefined),
    verdict: answer({ kind: "billing_error", status: 402, final: true }),
  },
  {
    when: ({ status, words, wait }) =>
      status === 429 || (status < 500 && rateLimited.test(words) && wait !== undefined),
    verdict: answer({ kind: "rate_limit_error", status: 429, retry: true }),
  },
  { when: among(401), verdict: (_given, about) => unauthorised(about) },
  {
    when: ({ status, words }) => status === 451 || (status === 403 && policy.test(words)),
    verdict: answer({ kind: "invalid_request_error", status: 400 }),
  },
  { when: among(403), verdict: answer({ kind: "permission_error", status: 403, final: true }) },
  { when: among(404), verdict: notFound },
  {
    when: ({ status, words }) => (status === 400 || status === 422) && modelMissing.test(words),
    verdict: (_given, about) => missingModel(about),
  },
  { when: among(413), verdict: answer({ kind: "request_too_large", status: 413 }) },
  { when: among(405, 406, 415), verdict: answer({ kind: "api_error", status: 502, final: true }) },
  { when: among(408, 504), verdict: answer({ kind: "timeout_error", status: 504, retry: true }) },
  { when: among(409), verdict: answer({ kind: "conflict_error", status: 409, retry: true }) },
  {
    when: ({ status, words }) => status === 503 || status === 529 || overloaded.test(words),
    verdict: answer({ kind: "overloaded_error", status: 529, retry: true }),
  },
  {
    when: ({ status }) => status >= 400 && status < 500,
    verdict: ({ status }) => ({ kind: "invalid_request_error", status: 400, retry: status === 425 }),
  },
]

/** What becomes of an upstream's error. Context overflow is not decided here, but before. */
export function judge(given: Case, about: Circumstances): Verdict {
  const rule = rules.find((candidate) => candidate.when(given))
  if (rule !== undefined) return rule.verdict(given, about)
  return { kind: "api_error", status: given.status === 500 ? 500 : 502, retry: true }
}

function unauthorised(about: Circumstances): Verdict {
  const hint = about.keyName === "" ? "" : ` (the key comes from ${about.keyName})`
  return {
    kind: "authentication_error",
    status: 401,
    final: true,
    message: (text) => `[${about.provider}] the upstream refused the API key${hint}: ${text}`,
  }
}

function notFound({ words }: Case, about: Circumstances): Verdict {
  if (modelMissing.test(words) || words.includes(about.model.toLowerCase())) return missingModel(about)
  return {
    kind: "api_error",
    status: 502,
    final: true,
    message: (text) =>
      `[${about.provider}] the upstream has no such endpoint: 404 at ${about.url}; check the base URL (${text})`,
  }
}

function missingModel(about: Circumstances): Verdict {
  const message = (text: string) => `model: ${about.model} ([${about.provider}] ${text})`
  return { kind: "not_found_error", status: 404, message }
}
