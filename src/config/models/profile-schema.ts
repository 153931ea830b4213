// `overrides:` of models.yaml: single fields of a provider's profile (providers/profile.ts), by the names they
// have there, in snake_case.
import { z } from "zod"
import { type ChatRequest, reasoningEfforts } from "../../protocol/chat/chat.ts"
import type { StopReason } from "../../protocol/messages/messages.ts"
import { type ProfileDelta, schemaRules } from "../../providers/profile.ts"
import { camelised } from "./defined.ts"
import {
  amount,
  anyText,
  body,
  count,
  field,
  headers,
  listOfAll,
  mapping,
  once,
  orFalse,
  text,
  tokens,
  wants,
  words,
  yesOrNo,
} from "./fields.ts"

// Without those that make a request what it is.
const droppable = [
  "stream_options",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "parallel_function_calling",
  "tool_stream",
  "reasoning_effort",
  "thinking",
  "enable_thinking",
  "thinking_budget",
  "reasoning",
  "chat_template_kwargs",
  "response_format",
  "service_tier",
  "prompt_cache_key",
  "store",
  "plugins",
  "enable_search",
  "continue_final_message",
  "add_generation_prompt",
] as const satisfies readonly (keyof ChatRequest)[]

const stopReasons = [
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "refusal",
] as const satisfies readonly StopReason[]

const fieldNames = () => listOfAll(words(droppable), "fields of the request")
const texts = () => listOfAll(text, "texts")
const least = () => amount(0, Number.MAX_SAFE_INTEGER, true)
const effortWord = () => words(reasoningEfforts)

const levels = <S extends z.ZodType>(schema: S) =>
  mapping("levels", {
    off: schema.optional(),
    low: schema.optional(),
    medium: schema.optional(),
    high: schema.optional(),
    xhigh: schema.optional(),
    max: schema.optional(),
  }).transform(camelised)

const wantsRange = { error: wants("must be a list of two numbers, the smallest and the largest") }
const range = () =>
  z
    .tuple([z.number(wantsRange), z.number(wantsRange)], wantsRange)
    .refine(([from, to]) => from <= to, { error: "begins with the larger of its two numbers: swap them" })

const reasoning = () =>
  mapping("reasoning", {
    request: field(
      words(["none", "effort", "thinking-object", "enable-thinking", "reasoning-object", "template"]),
      "How thinking is switched: not at all, by reasoning_effort, by thinking: {type}, by enable_thinking, by reasoning: {effort}, or by variables of the chat template.",
    ),
    levels: field(
      levels(effortWord()),
      "The provider's word for each level; all of them, as they replace the known ones.",
    ),
    budgets: field(levels(count), "thinking_budget for each level, in tokens; all of them."),
    on_type: field(words(["enabled", "adaptive"]), "thinking.type that switches thinking on."),
    on_extra: field(body, "Further members beside the switch, while thinking is on."),
    template_keys: field(texts(), "Variables of the chat template that switch thinking."),
    can_disable: field(yesOrNo, "Can thinking be switched off?"),
    with_tools: field(orFalse(effortWord(), "a word for effort"), "The only effort taken beside tools."),
    reply_fields: field(
      texts(),
      "Fields of the reply that hold reasoning; the first one with a text counts.",
    ),
    send_back: field(
      words(["never", "tool-turns", "all-turns"]),
      "Which earlier turns must carry their reasoning.",
    ),
    send_back_as: field(
      words([
        "reasoning_content",
        "reasoning",
        "reasoning_text",
        "both",
        "reasoning_details",
        "thinking-parts",
        "think-tags",
        "thought-signature",
      ]),
      "The form in which reasoning goes back.",
    ),
    backfill: field(orFalse(anyText, "a text"), "Sent where a turn that must carry reasoning has none."),
    send_back_when_off: field(yesOrNo, "Does reasoning go back also when thinking is off?"),
    think_tags: field(
      words(["start", "implicit", "channels", "never"]),
      "Where reasoning stands inside the text.",
    ),
  }).transform(camelised)

const toolChoice = () =>
  mapping("tool_choice", {
    any: field(words(["required", "any", "auto"]), "What a demand for any tool becomes."),
    named: field(words(["named", "only-tool", "auto"]), "What a demand for one tool becomes."),
    none: field(words(["none", "drop-tools"]), "What a ban on tools becomes."),
    forced_while_thinking: field(yesOrNo, "May a call be forced while thinking?"),
  }).transform(camelised)

const turnHeaders = () => mapping("turn_headers", { initiator: text, vision: text })

/** Every field of a profile that a user may change, each of them optional. */
export const overridesSchema = once(() =>
  mapping("overrides", {
    dialect: field(words(["chat", "responses"]), "The API that is spoken."),
    auth: field(words(["bearer", "api-key"]), "The header that the key is sent in."),
    headers: field(headers, "Sent with every request."),
    turn_headers: field(
      orFalse(turnHeaders(), "a mapping of initiator and vision"),
      "Names of headers that say who began the turn, and that it holds an image.",
    ),
    extra_body: field(body, "Sent in every request body."),
    streams: field(words(["any", "never", "always"]), "Can it stream; must it?"),
    cumulative: field(yesOrNo, "May each piece of a stream repeat the text before it?"),
    max_tokens_field: field(
      words(["max_tokens", "max_completion_tokens"]),
      "The field for the limit of a reply.",
    ),
    max_output_tokens: field(orFalse(tokens, "a count of tokens"), "The longest reply, in tokens."),
    context_window: field(orFalse(tokens, "a count of tokens"), "Input and output together, in tokens."),
    system_role: field(words(["system", "developer"]), "The role of the system prompt."),
    mid_system: field(words(["user", "inline", "hoist"]), "Where system messages in mid-conversation go."),
    stream_usage: field(yesOrNo, "May usage be asked for at the end of a stream?"),
    tool_choice: field(toolChoice(), "What each choice of tools becomes."),
    schema: field(words(schemaRules), "Whose rules the schemas of tools are made to follow."),
    max_tools: field(orFalse(count, "a whole number of 1 or more"), "How many tools a request may offer."),
    tool_stream: field(yesOrNo, "Ask for arguments of tools as they are written (tool_stream)."),
    parallel_field: field(
      words(["parallel_tool_calls", "parallel_function_calling"]),
      "The field that says that only one call is wanted.",
    ),
    vision: field(yesOrNo, "Can it look at images?"),
    image_urls: field(yesOrNo, "Does it fetch images by their URL?"),
    pdf: field(words(["file", "document_url", "placeholder"]), "What becomes of a PDF."),
    document_urls: field(yesOrNo, "Does it fetch documents by their URL?"),
    media_in_results: field(yesOrNo, "In the Responses API: may results of calls hold images and files?"),
    tool_ids: field(words(["any", "alnum9", "counted"]), "The form of the ids of calls."),
    tool_id_max_length: field(count, "How long the id of a call may be."),
    tool_name_max_length: field(count, "How long the name of a tool may be."),
    tool_name_letter_first: field(yesOrNo, "Must a tool's name begin with a letter?"),
    tools_for_history: field(yesOrNo, "Must tools be offered when the history holds calls?"),
    tool_message_name: field(yesOrNo, "Does a tool message name its function?"),
    assistant_after_tool: field(yesOrNo, "Must an assistant's turn follow a tool message?"),
    user_first: field(yesOrNo, "Must the first message after the system prompt be the user's?"),
    empty_assistant_content: field(
      orFalse(z.literal("", { error: wants('must be ""') }), 'an empty text ("")'),
      "Content of an assistant's turn that has only calls; false sends null.",
    ),
    prefill: field(
      words(["assistant", "prefix", "partial", "continue-final", "instruction"]),
      "What the beginning of an answer, at the end of a request, becomes.",
    ),
    stop_max: field(least(), "How many stop sequences it takes."),
    response_format: field(
      words(["json_schema", "json_object", "none"]),
      "How structured output is asked for.",
    ),
    format_with_tools: field(yesOrNo, "May structured output and tools be asked for together?"),
    strict_tools: field(yesOrNo, "May a tool be marked strict?"),
    cache_control: field(yesOrNo, "Send marks for an explicit prefix cache."),
    prompt_cache_key: field(yesOrNo, "Group requests of a session for the prefix cache."),
    send_store_false: field(yesOrNo, "Say store: false, so that nothing is kept."),
    web_search: field(
      words(["none", "plugin", "web-search-tool", "enable-search"]),
      "The provider's own web search, in place of Anthropic's.",
    ),
    searches_in_responses: field(yesOrNo, "Does it search the web by itself in the Responses API?"),
    reasoning: field(reasoning(), "How thinking is asked for, read and sent back."),
    text_tool_calls: field(yesOrNo, "Look for calls in the text."),
    content_filter: field(words(["end_turn", "refusal"]), "What a client hears of a content filter."),
    drop: field(fieldNames(), "Fields of the request that the provider refuses."),
    allow: field(fieldNames(), "Fields taken off the list of refused ones."),
    clamp: field(
      mapping("clamp", { temperature: range().optional(), top_p: range().optional() }).transform(camelised),
      "The smallest and the largest temperature and top_p.",
    ),
    stop_reasons: field(
      z.record(z.string(), words(stopReasons), {
        error: wants("must be a mapping of the provider's finish reasons"),
      }),
      "What further finish reasons of the provider mean.",
    ),
  }).transform((fields): ProfileDelta => camelised(fields)),
)
