// Which requests the response cache may answer, and what makes two of them the same.
import { bodyOf } from "../../convert/request/body-of.ts"
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import type { Prepared } from "../request/prepare.ts"

/** What a conversation may be made of. Whatever has to do with tools or thinking belongs to one moment only. */
const plainBlocks: ReadonlySet<unknown> = new Set(["text", "image", "document", "search_result"])

/** A Messages body without tools, their calls and results, thinking, or a summary to be made. */
export function isCacheable(body: JsonObject): boolean {
  if (arrayOf(body["tools"]).length > 0 || isObject(body["compaction"])) return false
  const thinking = objectOf(body["thinking"])["type"]
  if (thinking === "enabled" || thinking === "adaptive") return false
  return arrayOf(body["messages"]).every((message) =>
    arrayOf(objectOf(message)["content"]).every((block) => plainBlocks.has(objectOf(block)["type"])),
  )
}

/** What a client wants of the cache (RFC 9111): `refresh` asks the model, and keeps what it says. */
export function cacheWish(headers: Headers): "use" | "refresh" | "none" {
  const directives = headers.get("cache-control")
  if (directives === null) return "use"
  const names = directives.split(",").map((directive) => directive.trim().toLowerCase())
  if (names.includes("no-store")) return "none"
  return names.includes("no-cache") ? "refresh" : "use"
}

/** Fields of a request to an upstream that say nothing of what is asked: who asks, and how the answer travels. */
const volatileFields: ReadonlySet<string> = new Set([
  ...["stream", "stream_options", "tool_stream", "user", "metadata", "session_id"],
  ...["prompt_cache_key", "prompt_cache_retention", "safety_identifier", "request_id", "store"],
])

/** Headers of the configuration that hold secrets: another key asks the same. */
const secretHeader = /auth|key|token|secret|cookie|credential|password/i

// Another number makes every reply that was kept before unknown.
const keyVersion = 1

/**
 * A name for everything that makes the reply what it is: the request as it is sent, where it goes, and what is done
 * with the answer here. Neither the upstream's key nor the client's is in it.
 */
export function replyKey({ route, conversion }: Pick<Prepared, "route" | "conversion">): string {
  const fields = Object.entries(bodyOf(conversion)).filter(([name]) => !volatileFields.has(name))
  const headers = Object.entries(route.headers).filter(([name]) => !secretHeader.test(name))
  const { stopSequences, watchedStops, showReasoning, repeats, json } = conversion
  const named = sorted({
    version: keyVersion,
    url: route.url,
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    body: Object.fromEntries(fields),
    // What a filter stopped is not kept: all else is the same to clients of either API.
    profile: { ...route.profile, contentFilter: undefined },
    answer: { stopSequences, watchedStops, showReasoning, repeats, json },
  })
  return `reply:${new Bun.CryptoHasher("sha256").update(JSON.stringify(named)).digest("hex")}`
}

/** The same value, whatever order its keys were written in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, sorted(value[name])]))
}
