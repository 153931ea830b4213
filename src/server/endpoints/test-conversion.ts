// POST /v1/messages/test_conversion: a request to exactly the model it names, whatever the rules of routing say.
import type { Context } from "../context.ts"
import { handleMessages } from "./messages.ts"

/**
 * Answers as POST /v1/messages does, plain and streamed. The model is named as everywhere (`custom/ID`,
 * `PROVIDER/NAME`), and must be: without one it is a 400.
 */
export function handleTestConversion(
  request: Request,
  context: Context,
  requestId: string,
  url: URL,
): Promise<Response> {
  return handleMessages(request, context, requestId, url, { exact: true })
}
