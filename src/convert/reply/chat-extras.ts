// What comes with a chat reply besides text, reasoning and calls: sources of a web search, and pictures.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import type { SearchResult } from "../delta.ts"
import { none, plainText, type ReaderState, type Step } from "./reader-text.ts"
import { foundPages, readPage } from "./search.ts"

/**
 * The sources of a search that was asked for, wherever the provider puts them: `annotations` (OpenAI,
 * OpenRouter), `web_search` (Zhipu), `citations` and `search_results` (Perplexity, xAI). They are told at the end.
 */
export function readSources(state: ReaderState, content: JsonObject): Step {
  if (state.options.search === undefined) return [state, none]
  return foundPages(state, [
    ...arrayOf(content["annotations"]).filter(isObject).flatMap(readAnnotation),
    ...arrayOf(content["web_search"]).filter(isObject).flatMap(readPage),
    ...arrayOf(content["search_results"]).filter(isObject).flatMap(readPage),
    ...arrayOf(content["citations"]).flatMap((url) => (typeof url === "string" ? [{ url, title: url }] : [])),
  ])
}

function readAnnotation(annotation: JsonObject): readonly SearchResult[] {
  return readPage(objectOf(annotation["url_citation"]))
}

/** Pictures in a reply have no block of their own in the Messages API: words say that there was one. */
export function readMedia(state: ReaderState, content: JsonObject): Step {
  const images = arrayOf(content["images"]).length
  if (images === 0) return [state, none]
  return plainText(state, images === 1 ? "[image omitted]" : `[${images} images omitted]`)
}
