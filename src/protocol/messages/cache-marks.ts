// Where a client marks what it wants to be kept in a prefix cache (`cache_control`).
import { arrayOf, isObject, type JsonObject } from "../json.ts"

/** What is marked: the tools or the system prompt, or all of the conversation so far. */
export type CacheMarks = "prefix" | "all"

/** Is one of these blocks, or tools, marked? */
export function hasCacheMark(content: unknown): boolean {
  for (const block of arrayOf(content)) if (isObject(block) && isObject(block["cache_control"])) return true
  return false
}

/** The marks of a request outside of its messages; one on the request itself stands for its last block. */
export function cacheMarksOf({ cache_control, system, tools }: JsonObject): CacheMarks | undefined {
  if (isObject(cache_control)) return "all"
  return hasCacheMark(system) || hasCacheMark(tools) ? "prefix" : undefined
}

/** The body with a field that says so, which no client sends. */
export function withCacheMarks(body: unknown): unknown {
  return isObject(body) ? { ...body, cache_marks: cacheMarksOf(body) } : body
}
