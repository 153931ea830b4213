// What comes with a chat reply besides text, reasoning and calls: sources of a web search, and pictures.
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { Delta, SearchResult } from "../delta.ts"
import { none, plainText, type ReaderState, type Step } from "./chat-text.ts"

/**
 * The sources of a search that was asked for, wherever the provider puts them: `annotations` (OpenAI,
 * OpenRouter), `web_search` (Zhipu), `citations` and `search_results` (Perplexity, xAI). They are told once.
 */
export function readSources(state: ReaderState, content: JsonObject): Step {
  const { search } = state.options
  if (search === undefined || state.searched) return [state, none]
  const results = uniqueByUrl([
    ...arrayOf(content["annotations"]).filter(isObject).flatMap(readAnnotation),
    ...arrayOf(content["web_search"]).filter(isObject).flatMap(readPage),
    ...arrayOf(content["search_results"]).filter(isObject).flatMap(readPage),
    ...arrayOf(content["citations"]).flatMap((url) => (typeof url === "string" ? [{ url, title: url }] : [])),
  ])
  if (results.length === 0) return [state, none]
  return [{ ...state, searched: true }, [{ kind: "search", query: search.query, results }]]
}

function readAnnotation(annotation: JsonObject): readonly SearchResult[] {
  return readPage(objectOf(annotation["url_citation"]))
}

function readPage(page: JsonObject): readonly SearchResult[] {
  const url = textOf(page["url"]) ?? textOf(page["link"])
  return url === undefined ? [] : [{ url, title: textOf(page["title"]) ?? url }]
}

function uniqueByUrl(results: readonly SearchResult[]): readonly SearchResult[] {
  return [...new Map(results.map((result) => [result.url, result])).values()]
}

/** A client that asked for a search alone waits for its result, even an empty one. */
export function missingSearch({ options, searched }: ReaderState): readonly Delta[] {
  const { search } = options
  if (search === undefined || !search.forced || searched) return []
  return [{ kind: "search", query: search.query, results: [] }]
}

/** Pictures in a reply have no block of their own in the Messages API: words say that there was one. */
export function readMedia(state: ReaderState, content: JsonObject): Step {
  const images = arrayOf(content["images"]).length
  if (images === 0) return [state, none]
  return plainText(state, images === 1 ? "[image omitted]" : `[${images} images omitted]`)
}
