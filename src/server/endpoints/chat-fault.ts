// A Fault as OpenAI's clients read it.
import { toChatErrorBody } from "../../convert/reverse/error.ts"
import type { Fault } from "../../protocol/fault.ts"
import { faultReply } from "../http/respond.ts"

/** What of a refused parameter OpenAI's error shape has fields for. */
export interface About {
  readonly param?: string
  readonly code?: string
}

/** A Fault in OpenAI's shape, with the same status and headers as in Anthropic's. */
export function chatFaultReply(fault: Fault, requestId: string, about?: About): Response {
  const { status, headers } = faultReply(fault, requestId)
  return Response.json(toChatErrorBody(fault, about), { status, headers: named(headers, requestId) })
}

/** OpenAI's clients look for the id of a request under another name. The body's length is no longer the same. */
export function named(given: Headers, requestId: string): Headers {
  const headers = new Headers(given)
  headers.delete("content-length")
  headers.set("x-request-id", requestId)
  return headers
}
