// Blocks that are written in one piece: a web search that was run upstream with what it found, and a summary
// of the conversation.
import type { MessagesEvent, ReplyBlock } from "../../protocol/messages/messages.ts"
import { encodeCarrier, noCargo } from "../common/carrier.ts"
import type { Delta } from "../common/delta.ts"
import { addText } from "../common/grown-text.ts"
import type { WriterState } from "./writer-state.ts"

/** A search as Anthropic's own looks: the call with its query, then the result. */
export function writeSearch(
  state: WriterState,
  { query, results }: Extract<Delta, { kind: "search" }>,
  out: MessagesEvent[],
): void {
  const { index, searches, options } = state
  const id = `srvtoolu_${options.id.replace(/^msg_/, "")}${searches}`
  const use: ReplyBlock = { type: "server_tool_use", id, name: "web_search", input: {} }
  const partial_json = JSON.stringify({ query })
  const content =
    results?.map(({ url, title }) => {
      return { type: "web_search_result", url, title, encrypted_content: "", page_age: null } as const
    }) ?? ({ type: "web_search_tool_result_error", error_code: "unavailable" } as const)
  const result: ReplyBlock = { type: "web_search_tool_result", tool_use_id: id, content }
  out.push(
    { type: "content_block_start", index, content_block: use },
    { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } },
    { type: "content_block_stop", index },
    { type: "content_block_start", index: index + 1, content_block: result },
    { type: "content_block_stop", index: index + 1 },
  )
  state.index = index + 2
  // Clients reckon a cent for each; Anthropic charges none that failed.
  if (results !== undefined) state.searches = searches + 1
}

/** A summary comes whole, in one delta: that is what the SDK's accumulator takes for the block's final value. */
export function writeCompaction(
  state: WriterState,
  { text, toolChanges }: Extract<Delta, { kind: "compaction" }>,
  out: MessagesEvent[],
): void {
  const { index, options, written } = state
  const carrier = { provider: options.provider, model: options.upstreamModel, field: "", cargo: noCargo }
  const signature = encodeCarrier(carrier, "")
  const block: ReplyBlock = {
    ...{ type: "compaction", content: null, encrypted_content: null, signature },
    ...(toolChanges.length === 0 ? undefined : { tool_changes: toolChanges }),
  }
  out.push(
    { type: "content_block_start", index, content_block: block },
    {
      type: "content_block_delta",
      index,
      delta: { type: "compaction_delta", content: text, encrypted_content: null },
    },
    { type: "content_block_stop", index },
  )
  state.index = index + 1
  state.written = addText(written, text)
}
