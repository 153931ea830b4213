// The body of a conversion in the words of the API it is sent by.
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import type { ResponsesRequest } from "../../protocol/chat/responses.ts"
import type { Conversion } from "./request.ts"
import { toResponses } from "./responses-body.ts"

/** The body to be sent. */
export function bodyOf({
  body,
  responses,
}: Pick<Conversion, "body" | "responses">): ChatRequest | ResponsesRequest {
  return responses === undefined ? body : toResponses(body, responses)
}
