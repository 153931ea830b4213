// A Fault as OpenAI's clients read it, and an error of the Messages API as a Fault.
import { type Fault, type FaultKind, fault } from "../../protocol/fault.ts"
import { objectOf, textOf } from "../../protocol/json.ts"

/** OpenAI's one error shape, for a JSON body and for a `data:` line of a stream alike. */
interface ChatErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    /** Path of the parameter that is wrong. */
    readonly param: string | null
    readonly code: string | null
  }
}

interface Words {
  readonly type: string
  readonly code: string | null
}

/** OpenAI's words (its guide to error codes, 2026-11) for each of Anthropic's. */
const words: Readonly<Record<FaultKind, Words>> = {
  invalid_request_error: { type: "invalid_request_error", code: null },
  authentication_error: { type: "authentication_error", code: "invalid_api_key" },
  billing_error: { type: "insufficient_quota", code: "insufficient_quota" },
  permission_error: { type: "permission_error", code: null },
  not_found_error: { type: "invalid_request_error", code: "model_not_found" },
  conflict_error: { type: "invalid_request_error", code: null },
  request_too_large: { type: "invalid_request_error", code: "request_too_large" },
  rate_limit_error: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  api_error: { type: "server_error", code: null },
  timeout_error: { type: "server_error", code: "timeout" },
  overloaded_error: { type: "server_error", code: "overloaded" },
}

/**
 * The body for a fault. `about` says which parameter is to blame, where that is known; else what the upstream named is
 * handed on. A code of ours stands for every provider's own: agents act upon it.
 */
export function toChatErrorBody(
  given: Fault,
  about: { readonly param?: string; readonly code?: string } = {},
): ChatErrorBody {
  const { type, code } = words[given.kind]
  // Agents shorten their conversation when they read this code, as Claude Code does for Anthropic's words.
  const tooLong = /^prompt is too long/i.test(given.message) ? "context_length_exceeded" : undefined
  return {
    error: {
      message: given.message,
      type,
      param: about.param ?? given.named?.param ?? null,
      code: about.code ?? tooLong ?? code ?? given.named?.code ?? null,
    },
  }
}

function isFaultKind(word: string): word is FaultKind {
  return Object.hasOwn(words, word)
}

/** The fault an error body or `error` event of the Messages API stands for. */
export function readMessagesFault(body: unknown): Fault {
  const error = objectOf(objectOf(body)["error"])
  const type = textOf(error["type"]) ?? ""
  const message = textOf(error["message"]) ?? "the error says nothing about itself"
  return fault({ kind: isFaultKind(type) ? type : "api_error", source: "upstream", message })
}
