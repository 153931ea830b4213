// Anthropic's web search tool, which its own servers run: another provider's search in its place where there is
// one, else an honest answer that there is none.
import type { ChatRequest, ChatSearchTool } from "../../protocol/chat/chat.ts"
import type { ResponsesSearchTool } from "../../protocol/chat/responses.ts"
import { changed, dropped, type Note, noNotes } from "../../protocol/fault.ts"
import type { MessagesRequest } from "../../protocol/messages/messages.ts"
import type { Tool } from "../../protocol/messages/tools.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Delta, Search } from "../common/delta.ts"
import { withoutReminders } from "../dialogue/system.ts"
import { noTools } from "../dialogue/tool-changes.ts"

export interface ConvertedSearch {
  /** The tools without the search. */
  readonly tools: readonly Tool[]
  readonly chatTools: readonly ChatSearchTool[]
  /** The search of the Responses API, which stands among the tools there. */
  readonly hosted: readonly ResponsesSearchTool[]
  readonly fields: Pick<ChatRequest, "plugins" | "enable_search">
  readonly search: Search | undefined
  /** The whole reply, where there is nobody to ask. */
  readonly answer: readonly Delta[] | undefined
  readonly notes: readonly Note[]
}

const isSearch = (tool: Tool) => tool.type.startsWith("web_search_")

const nothing: ConvertedSearch = {
  tools: noTools,
  chatTools: [],
  hosted: [],
  fields: {},
  search: undefined,
  answer: undefined,
  notes: noNotes,
}

function withoutSearch(tools: readonly Tool[]): ConvertedSearch {
  const { chatTools, hosted, fields, search, answer, notes } = nothing
  return { tools, chatTools, hosted, fields, search, answer, notes }
}

/** Takes the search out of the tools. Claude Code's WebSearch offers it alone and insists on it. */
export function convertSearch(request: MessagesRequest, profile: ProviderProfile): ConvertedSearch {
  const all = request.tools ?? noTools
  if (all.length === 0) return nothing
  const tool = all.find(isSearch)
  return tool === undefined ? withoutSearch(all) : convertTool(tool, request, profile)
}

function convertTool(tool: Tool, request: MessagesRequest, profile: ProviderProfile): ConvertedSearch {
  const all = request.tools ?? noTools
  const others = all.filter((other) => other !== tool && isSearch(other))
  const tools = all.filter((candidate) => !isSearch(candidate))
  const words = lastWords(request)
  const forced = isForced(request, tool, tools.length === 0, words)
  const search = { query: queryOf(words), forced }
  const { path } = tool
  const spare = others.map((other) => dropped(other.path, "one web search is enough"))
  const excluded = whyNot(request, tool)
  // The search of the Responses API is a tool, and subject to tool_choice; the others search in any case.
  if (excluded !== undefined && profile.webSearch !== "hosted")
    return { ...nothing, tools, notes: [...spare, dropped(path, excluded)] }
  const sent = (how: string) => [
    ...spare,
    changed(path, `the provider's own web search is asked for: ${how}`),
    // Of all that a search is limited by, none is passed on silently unheeded.
    ...Object.keys(tool.search).map((field) =>
      dropped(`${path}.${field}`, "not known to this provider's search"),
    ),
  ]
  switch (profile.webSearch) {
    case "none":
      if (!forced) return { ...nothing, tools, notes: [...spare, dropped(path, "no web search here")] }
      return {
        ...nothing,
        tools,
        answer: unavailable(search.query),
        notes: [...spare, changed(path, "answered here: no web search at this provider")],
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
    case "hosted": {
      const { allowed_domains, user_location, ...unknown } = tool.search
      const lost = Object.keys(unknown).map((field) =>
        dropped(`${path}.${field}`, "not known to this search"),
      )
      const hosted: ResponsesSearchTool = {
        type: "web_search",
        ...(allowed_domains === undefined ? {} : { filters: { allowed_domains } }),
        ...(user_location === undefined ? {} : { user_location }),
      }
      const notes = [
        ...spare,
        changed(path, "the provider's own web search is asked for: web_search"),
        ...lost,
      ]
      return { ...nothing, tools, search, hosted: [hosted], notes }
    }
    default:
      return profile.webSearch satisfies never
  }
}

/** Why there is to be no search although there is a tool for it; undefined: there may be one. */
function whyNot({ tool_choice: choice, compaction }: MessagesRequest, tool: Tool): string | undefined {
  if (compaction?.type === "summarize") return "a summary takes no search"
  if (choice?.type === "none") return "no tool is to be used"
  return choice?.type === "tool" && choice.name !== tool.name ? "another tool is insisted on" : undefined
}

/**
 * Is a search all that is wanted? Claude Code 2.1.197 said so by tool_choice, 2.1.329 offers nothing else and says
 * it in words; an SDK that offers a search alone may well be content with an answer without one.
 */
function isForced(
  { tool_choice: choice }: MessagesRequest,
  tool: Tool,
  isAlone: boolean,
  words: string,
): boolean {
  if (choice?.type === "tool") return choice.name === tool.name
  return isAlone && (choice?.type === "any" || phrase.test(words))
}

// The words in which Claude Code's WebSearch asks for a search (observed with 2.1.197 and 2.1.329).
const phrase = /^Perform a web search for the query:\s*/i
const longestQuery = 400

/** The user's last words, without the reminders that clients add. */
function lastWords({ messages }: MessagesRequest): string {
  const last = messages.findLast((message) => message.role === "user")
  const texts = (last?.content ?? []).flatMap((block) => (block.type === "text" ? [block.text] : []))
  return texts.map(withoutReminders).join("\n").trim()
}

function queryOf(words: string): string {
  return words.replace(phrase, "").slice(0, longestQuery).toWellFormed()
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
