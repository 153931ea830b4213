// A web search that the upstream was asked to run. What it found before the first words is told in front of them,
// as Anthropic's own search does; what comes later is told once, at the end.
import { type JsonObject, textOf } from "../../protocol/json.ts"
import type { MessagesUsage } from "../../protocol/messages/messages.ts"
import { noUsage } from "../../protocol/messages/usage.ts"
import type { Delta, Search, SearchResult } from "../common/delta.ts"

/** What of a reader's state is about searches. */
export interface SearchState {
  readonly options: { readonly search?: Search | undefined }
  /** Pages that a web search found. */
  pages: readonly SearchResult[]
  /** How many of them were told before the first text; undefined: no text has begun. */
  told: number | undefined
  /** A search was told already, with all that it found. */
  searched: boolean
  usage: MessagesUsage | undefined
}

const nothing: readonly Delta[] = []

/** Pages that were found; they come in pieces, and are kept until they are told. */
export function foundPages(state: SearchState, pages: readonly SearchResult[]): void {
  if (state.options.search === undefined || pages.length === 0 || state.pages.length >= mostPages) return
  // Some providers name all of them in every chunk.
  const known = new Map([...state.pages, ...pages].map((page) => [page.url, page]))
  state.pages = [...known.values()].slice(0, mostPages)
}

const mostPages = 200

/** A page in any provider's words for address and title. */
export function readPage(page: JsonObject): readonly SearchResult[] {
  const url = textOf(page["url"]) ?? textOf(page["link"])
  return url === undefined ? [] : [{ url, title: textOf(page["title"]) ?? url }]
}

/** What was found before the first text, which is about to begin. */
export function tellPages({ options, searched, pages }: SearchState): readonly Delta[] {
  const { search } = options
  if (search === undefined || searched || pages.length === 0) return nothing
  return [{ kind: "search", query: search.query, results: pages }]
}

/**
 * What was found and not told yet. A client that asked for a search alone waits for it, even if it is empty. Pages
 * that come in two lists were found by one search.
 */
export function endSearch({ options, searched, pages, told = 0, usage }: SearchState): readonly Delta[] {
  const { search } = options
  if (search === undefined || searched) return nothing
  const results = pages.slice(told)
  if (results.length === 0 && (told > 0 || !search.forced)) return nothing
  const found: Delta = { kind: "search", query: search.query, results }
  if (told === 0) return [found]
  const counted = { ...(usage ?? noUsage), server_tool_use: { web_search_requests: 1 } }
  return [found, { kind: "usage", usage: counted }]
}
