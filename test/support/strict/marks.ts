// Marks for a provider's explicit prefix cache.
import { arrayOf, type JsonObject, objectOf } from "../../../src/protocol/json.ts"

/** Four marks for the cache, no more. */
export function checkCacheMarks(body: JsonObject): readonly string[] {
  const marks = arrayOf(body["messages"])
    .flatMap((message) => arrayOf(objectOf(message)["content"]))
    .filter((part) => objectOf(part)["cache_control"] !== undefined)
  return marks.length > 4
    ? [`messages: A maximum of 4 blocks with cache_control may be provided. Found ${marks.length}.`]
    : []
}
