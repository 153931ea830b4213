// `convert --explain`: the route, what was dropped or changed and why, and whether the prompt fits.

import { mapToolName } from "../../convert/dialogue/names.ts"
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import type { Note } from "../../protocol/fault.ts"
import type { MessagesRequest } from "../../protocol/messages/messages.ts"
import type { Route } from "../../providers/route.ts"

/** What the proxy does to a live request. */
interface Treatment {
  readonly notes: readonly Note[]
  /** Why it is not sent at all. */
  readonly refused: string | undefined
}

/** The explanation as text for standard error. `tokens` is the estimate of the prompt. */
export function explain(
  request: MessagesRequest,
  route: Route,
  body: ChatRequest,
  tokens: number,
  { notes, refused }: Treatment,
): string {
  const lines = [
    ...explainRoute(route),
    ...renamed(request, route, body).map(([path, what]) => `renamed  ${path}: ${what}`),
    ...renderNotes(notes),
    renderTokens(tokens, body.max_completion_tokens ?? body.max_tokens ?? 0, route),
    ...(refused === undefined ? [] : [`refused  a live request is answered 400: ${refused}`]),
  ]
  return `${lines.join("\n")}\n`
}

/** Where it goes, as lines. */
export function explainRoute(route: Route): readonly string[] {
  return [
    `route    ${route.requestedModel} → ${route.model} at ${route.provider} (${route.reason})`,
    `url      ${withoutQuery(route.url)}`,
  ]
}

export function renderNotes(notes: readonly Note[]): readonly string[] {
  return notes.map((note) => `${note.kind.padEnd(8)} ${note.path}: ${note.why}`)
}

/** The explanation of what goes to a client, where there is no route to speak of. */
export function explainNotes(notes: readonly Note[]): string {
  return notes.length === 0 ? "nothing was dropped or changed\n" : `${renderNotes(notes).join("\n")}\n`
}

/** Tokens of the prompt, and of the reply at most. */
export function renderTokens(input: number, output: number, { profile }: Route): string {
  return `tokens   about ${input} in, at most ${output} out; ${fits(input, output, profile.contextWindow)}`
}

/** Fields that say how much to think, in the words of one provider or another. */
const switches = [
  ...(["thinking", "reasoning_effort", "reasoning", "enable_thinking", "thinking_budget"] as const),
  "chat_template_kwargs",
] as const

/** What arrives under another name, with the same meaning. */
function renamed(
  request: MessagesRequest,
  { profile }: Route,
  body: ChatRequest,
): readonly (readonly [string, string])[] {
  const isResponses = profile.dialect === "responses"
  const field = isResponses ? "max_output_tokens" : profile.maxTokensField
  const called = (name: string) => (isResponses && name === "reasoning_effort" ? "reasoning.effort" : name)
  const reasoning = switches.flatMap((name) =>
    body[name] === undefined ? [] : [`${called(name)} ${JSON.stringify(body[name])}`],
  )
  const tools = (request.tools ?? []).flatMap(({ name }, index) => {
    const mapped = mapToolName(name, profile)
    return mapped === name ? [] : [[`tools.${index}.name`, `${JSON.stringify(name)} as ${mapped}`] as const]
  })
  return [
    ...(field === "max_tokens" ? [] : [["max_tokens", field] as const]),
    ...(reasoning.length === 0 ? [] : [["thinking", reasoning.join(", ")] as const]),
    ...((request.stop_sequences ?? []).length > 0 && body.stop !== undefined
      ? [["stop_sequences", "stop"] as const]
      : []),
    ...tools,
  ]
}

/** A query may hold a key; api-version is all of it that is worth showing. */
function withoutQuery(given: string): string {
  const url = new URL(given)
  const version = url.searchParams.get("api-version")
  return `${url.origin}${url.pathname}${version === null ? "" : `?api-version=${version}`}`
}

function fits(input: number, output: number, window: number | null): string {
  if (window === null) return "the model's window is not known"
  if (input > window) return `the prompt does not fit the model's window of ${window}`
  return input + output > window
    ? `the prompt fits the model's window of ${window}, but not together with so much output`
    : `fits the model's window of ${window}`
}
