// A web search that the upstream was asked to run: what it found is told once, before or behind the words.
import { type JsonObject, textOf } from "../../protocol/json.ts"
import type { Delta, SearchResult } from "../delta.ts"
import { none, type ReaderState, type Step } from "./reader-text.ts"

/** Pages that were found; none, or a search nobody asked for, say nothing. */
export function searchedFor(state: ReaderState, results: readonly SearchResult[], query?: string): Step {
  const { search } = state.options
  if (search === undefined || state.searched || results.length === 0) return [state, none]
  const unique = [...new Map(results.map((result) => [result.url, result])).values()]
  return [{ ...state, searched: true }, [{ kind: "search", query: query ?? search.query, results: unique }]]
}

/** A page in any provider's words for address and title. */
export function readPage(page: JsonObject): readonly SearchResult[] {
  const url = textOf(page["url"]) ?? textOf(page["link"])
  return url === undefined ? [] : [{ url, title: textOf(page["title"]) ?? url }]
}

/** A client that asked for a search alone waits for its result, even an empty one. */
export function missingSearch({ options, searched }: ReaderState): readonly Delta[] {
  const { search } = options
  if (search === undefined || !search.forced || searched) return []
  return [{ kind: "search", query: search.query, results: [] }]
}
