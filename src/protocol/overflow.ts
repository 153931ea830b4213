// A prompt that does not fit. Every provider says it in its own words; Claude Code compacts the conversation
// only when it reads Anthropic's (wire.md §0.6 and §6.4, observed).

const sayings: readonly RegExp[] = [
  /prompt is too long/,
  /input is too long/,
  /exceeds? the (model's )?(maximum )?context (window|length|size)/,
  /context_length_exceeded/,
  /context length exceeded/,
  /input token count.*exceeds the maximum/,
  /maximum prompt length is \d+/,
  /reduce the length of the (messages|prompt|input)/,
  /maximum context length/,
  /prompt token count of \d+ exceeds the limit/,
  /exceeds the available context size/,
  /exceed_context_size_error/,
  /greater than the context length/,
  /context window exceeds limit/,
  /exceeded model token limit/,
  /too large for model with \d+ maximum context length/,
  /model_max_prompt_tokens_exceeded/,
  /too many (input )?tokens/,
  /token limit exceeded/,
  /range of input length should be/,
  /model_context_window_exceeded/,
  /prompt exceeds max length/,
  /\b1261\b/,
]

/** Does an error's text (lower case, codes included) speak of a prompt that is too long? */
export function isOverflow(words: string): boolean {
  // "Too many tokens per minute" is a rate limit, not a long prompt.
  if (/tokens? per (minute|day|hour)|\btpm\b|rate limit/.test(words) && !/context/.test(words)) return false
  return sayings.some((saying) => saying.test(words))
}

interface Numbers {
  readonly limit?: number
  readonly input?: number
  readonly output?: number
  readonly total?: number
}

// Where each wording puts its numbers. Named groups; the first pattern that matches gives a number.
const patterns: readonly RegExp[] = [
  /maximum context length (?:is|of) (?<limit>\d+)/,
  /(?:requested|resulted in|requires?|request has) (?:about )?(?<total>\d+) (?:total |input )?tokens/,
  /(?<input>\d+) (?:in the messages|(?:tokens )?of text input|in the prompt|input tokens|tokens from the input)/,
  /(?<output>\d+) (?:in the completion|tokens? for the completion|output tokens|in the output)/,
  /prompt token count of (?<input>\d+) exceeds the limit of (?<limit>\d+)/,
  /prompt is too long:? (?<input>\d+) tokens? > (?<limit>\d+)/,
  /maximum prompt length is (?<limit>\d+)(?:.*?contains (?<input>\d+) tokens)?/,
  /exceeded model token limit: (?<limit>\d+) \(requested: (?<input>\d+)\)/,
  /prompt contains (?<input>\d+) tokens.*?(?<limit>\d+) maximum context length/,
  /too large for model with (?<limit>\d+) maximum context length/,
  /input token count \(?(?<input>\d+)\)? exceeds the maximum(?: number of tokens)?(?: allowed)? \(?(?<limit>\d+)/,
  /request \((?<input>\d+) tokens\) exceeds the available context size \((?<limit>\d+)/,
  /range of input length should be \[\d+, ?(?<limit>\d+)\]/,
  /context (?:window|length) (?:is|of) (?:only )?(?<limit>\d+)/,
  /n_prompt_tokens"?:? ?(?<input>\d+)/,
  /n_ctx"?:? ?(?<limit>\d+)/,
]

function readNumbers(message: string): Numbers {
  const text = message.toLowerCase().replace(/(?<=\d)[,_](?=\d{3})/g, "")
  const found: Record<string, number> = {}
  for (const pattern of patterns) {
    for (const [name, value] of Object.entries(pattern.exec(text)?.groups ?? {})) {
      if (value !== undefined && found[name] === undefined) found[name] = Number(value)
    }
  }
  return found
}

/**
 * The wording that makes Claude Code recover. When only input and output together are too much, it is the
 * one that makes it ask for less output; otherwise the one that makes it compact. `estimate` and `window`
 * (tokens) stand in for numbers the provider does not give.
 */
export function overflowMessage(upstream: string, estimate: number, window: number | null): string {
  const { limit, input, output, total } = readNumbers(upstream)
  const prompt = input ?? (total !== undefined && output !== undefined ? total - output : undefined)
  const tail = upstream === "" ? "" : ` (upstream: ${upstream})`
  if (limit !== undefined && prompt !== undefined && output !== undefined && prompt < limit) {
    return `input length and \`max_tokens\` exceed context limit: ${prompt} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again${tail}`
  }
  const known = prompt ?? total
  const maximum = limit ?? window ?? Math.max(1, (known ?? estimate) - 1)
  const tokens = Math.max(known ?? estimate, maximum + 1)
  return `prompt is too long: ${tokens} tokens > ${maximum} maximum${tail}`
}
