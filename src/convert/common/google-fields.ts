// What Google's OpenAI-compatible API adds to messages and calls of its own (ai.google.dev, OpenAI compatibility).
import { type JsonObject, objectOf, textOf } from "../../protocol/json.ts"

/** Its fields beside a message, a delta, a part or a call. */
export function googleFields(given: JsonObject): JsonObject {
  return objectOf(objectOf(given["extra_content"])["google"])
}

/** The signature of the thinking that led to a call. */
export function googleSignature(given: JsonObject): string | undefined {
  return textOf(googleFields(given)["thought_signature"])
}

/** The same fields around such a signature. */
export function signedByGoogle(thought_signature: string) {
  return { extra_content: { google: { thought_signature } } } as const
}
