// Anthropic's web search tool, which its own servers run: another provider's search in its place where there is
// one, else an honest answer that there is none.
import type { ChatRequest, ChatSearchTool } from "../../protocol/chat.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import type { MessagesRequest, Tool } from "../../protocol/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Delta, Search } from "../delta.ts"

export interface ConvertedSearch {
  /** The tools without the search. */
  readonly tools: readonly Tool[]
  readonly chatTools: readonly ChatSearchTool[]
  readonly fields: Pick<ChatRequest, "plugins" | "enable_search">
  readonly search: Search | undefined
  /** The whole reply, where there is nobody to ask. */
  readonly answer: readonly Delta[] | undefined
  readonly notes: readonly Note[]
}

const isSearch = (tool: Tool) => tool.type.startsWith("web_search_")

/** Takes the search out of the tools. Claude Code's WebSearch offers it alone and insists on it. */
export function convertSearch(request: MessagesRequest, profile: ProviderProfile): ConvertedSearch {
  const all = request.tools ?? []
  const at = all.findIndex(isSearch)
  const tool = all[at]
  const nothing = { chatTools: [], fields: {}, search: undefined, answer: undefined, notes: [] }
  if (tool === undefined) return { ...nothing, tools: all }
  const tools = all.filter((candidate) => !isSearch(candidate))
  const choice = request.tool_choice
  const forced =
    (choice?.type === "tool" && choice.name === tool.name) || (choice?.type === "any" && tools.length === 0)
  const search = { query: queryOf(request), forced }
  const path = `tools.${at}`
  const sent = (how: string) => [changed(path, `the provider's own web search is asked for: ${how}`)]
  switch (profile.webSearch) {
    case "none":
      if (!forced) return { ...nothing, tools, notes: [dropped(path, "no web search here")] }
      return {
        ...nothing,
        tools,
        answer: unavailable(search.query),
        notes: [changed(path, "answered here: no web search at this provider")],
      }
    case "plugin":
      return {
        ...nothing,
        tools,
        search,
        fields: { plugins: [{ id: "web", max_results: 5 }] },
        notes: sent("plugins"),
      }
    case "enable-search":
      return { ...nothing, tools, search, fields: { enable_search: true }, notes: sent("enable_search") }
    case "web-search-tool": {
      const web_search = { enable: true, search_query: search.query, search_result: true }
      return {
        ...nothing,
        tools,
        search,
        chatTools: [{ type: "web_search", web_search }],
        notes: sent("web_search"),
      }
    }
    default:
      return profile.webSearch satisfies never
  }
}

const longestQuery = 400

/** What is searched for: the user's last words, without Claude Code's phrase before them. */
function queryOf({ messages }: MessagesRequest): string {
  const last = messages.findLast((message) => message.role === "user")
  const texts = (last?.content ?? []).flatMap((block) => (block.type === "text" ? [block.text] : []))
  const text = texts
    .map((said) => said.replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, ""))
    .join("\n")
    .trim()
  return text
    .replace(/^Perform a web search for the query:\s*/i, "")
    .slice(0, longestQuery)
    .toWellFormed()
}

/** The documented error result, and words for clients that read only text. */
function unavailable(query: string): readonly Delta[] {
  const text =
    "Web search is not available: the provider behind this proxy has none. Work with what is known already."
  return [
    { kind: "search", query, results: undefined },
    { kind: "text", text },
    { kind: "finish", reason: "end_turn", stopSequence: null },
    { kind: "end", clean: true },
  ]
}
