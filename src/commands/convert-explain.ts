// `convert --explain`: the route, what was dropped or changed and why, and whether the prompt fits.
import type { ChatRequest } from "../protocol/chat.ts"
import type { Note } from "../protocol/fault.ts"
import type { Route } from "../providers/route.ts"

/** The explanation as text for standard error. `tokens` is the estimate of the prompt. */
export function explain(route: Route, body: ChatRequest, notes: readonly Note[], tokens: number): string {
  const { profile } = route
  const output = body.max_completion_tokens ?? body.max_tokens ?? 0
  const lines = [
    `route    ${route.requestedModel} → ${route.model} at ${route.provider} (${route.reason})`,
    `url      ${withoutQuery(route.url)}`,
    ...notes.map((note) => `${note.kind.padEnd(8)} ${note.path}: ${note.why}`),
    `tokens   about ${tokens} in, at most ${output} out; ${fits(tokens, output, profile.contextWindow)}`,
  ]
  return `${lines.join("\n")}\n`
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
