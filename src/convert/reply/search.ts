// A web search that the upstream was asked to run: what it found is told once, behind the words.
import { type JsonObject, textOf } from "../../protocol/json.ts"
import type { Delta, SearchResult } from "../delta.ts"
import { none, type ReaderState, type Step } from "./reader-text.ts"

/** Pages that were found; they come in pieces, and are told together at the end. */
export function foundPages(state: ReaderState, pages: readonly SearchResult[]): Step {
  if (state.options.search === undefined || pages.length === 0 || state.pages.length >= mostPages)
    return [state, none]
  // Some providers name all of them in every chunk.
  const known = new Map([...state.pages, ...pages].map((page) => [page.url, page]))
  return [{ ...state, pages: [...known.values()].slice(0, mostPages) }, none]
}

const mostPages = 200

/** A page in any provider's words for address and title. */
export function readPage(page: JsonObject): readonly SearchResult[] {
  const url = textOf(page["url"]) ?? textOf(page["link"])
  return url === undefined ? [] : [{ url, title: textOf(page["title"]) ?? url }]
}

/** What was found. A client that asked for a search alone waits for it, even if it is empty. */
export function endSearch({ options, searched, pages }: ReaderState): readonly Delta[] {
  const { search } = options
  if (search === undefined || searched || (pages.length === 0 && !search.forced)) return []
  return [{ kind: "search", query: search.query, results: pages }]
}
