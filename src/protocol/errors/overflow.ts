// A prompt that does not fit. Every provider says it in its own words; Claude Code compacts the conversation
// only when it reads Anthropic's (observed with 2.1.197 and 2.1.329).

const sayings: readonly RegExp[] = [
  /input is too long/,
  /exceed(?:s|ed|ing)? (?:the |this )?(?:model(?:'s)? )?(?:max(?:imum)? )?context (?:window|length|size|limit)/,
  /context length exceeded/,
  /input token count.*exceeds the maximum/,
  /maximum prompt length is \d+/,
  /reduce the length of the (messages|prompt|input)/,
  /prompt token count of \d+ exceeds the limit/,
  /exceeds the available context size/,
  /(greater|longer) than the (model's )?context length/,
  /context length of only \d+/,
  /context window exceeds limit/,
  /exceeded model token limit/,
  /token limit exceeded/,
  /range of input length should be/,
  /prompt exceeds max length/,
  /`inputs` tokens \+ `max_new_tokens` must be/,
  /prompt (is )?too long/,
  /max(imum)? context length/,
  /length of prompt_tokens \(\d+\) must be less than/,
  /prompt has \d[\d,]* tokens, but the configured context size/,
  /prompt \(length \d+\) is longer than the maximum model length/,
  /exceed max message tokens/,
  /input token length too long/,
  // Moonshot and Kimi Code count bytes as well: only a shorter conversation helps.
  /total message size \d+ exceeds limit/,
  /context size has been exceeded/,
  // GitHub Models, with 413 (cline/cline#2115); Qianfan.
  /request body too large for .{1,100} model\. max size: \d+ tokens/,
  /prompt tokens too long/,
  // Vertex (google-gemini/gemini-cli#19727); Ark (langgenius/dify#32221) and TensorRT-LLM; vLLM with images
  // (vllm-project/vllm#12165); watsonx.
  /input token count is \d+ but model only supports/,
  /(?:input|prompt) length \(?\d+(?: tokens)?\)? exceeds (?:the )?maximum (?:allowed |input )?length/,
  /prompt \(total length \d+\) is too long/,
  /number of input tokens \d+ cannot exceed/,
  // TGI, also behind SageMaker; tabbyAPI (SillyTavern/SillyTavern#3543); LM Studio, in two ways; Snowflake
  // (posit-dev/positron#11737); SambaNova; Bedrock's Nova.
  /`inputs` must have less than \d+ tokens/,
  /length \d+(?: \+ \d+)? is greater than max_seq_len/,
  /reached context length of \d+ tokens/,
  /n_keep: \d+ ?>= ?n_ctx/,
  /\bmax tokens of \d+ exceeded/,
  /maximum supported sequence length is/,
  /number of input tokens exceeds/,
  // vLLM, of what the prompt leaves for a reply.
  /max_(?:completion_)?tokens must be at least 1, got -\d/,
  // Relays in China (openclaw/openclaw, agents: context overflow).
  /上下文(?:过长|超出|长度超)|超出最大上下文|请压缩上下文|prompt ?超长/,
]

// Tokens of what was sent that are more than some maximum, in whatever order it is said (Databricks, Bedrock, Cohere,
// antirez/ds4#150). Of a reply's tokens it says nothing.
const whole = "\\b(?:prompt|inputs?|conversation|messages|request|total)\\b"
// One token alone may be a key.
const counted = "\\b(?:tokens|token (?:count|length|limit))\\b"
const over = "\\b(?:exceed(?:s|ed)?|(?:is|are) (?:greater|longer|larger|more) than)\\b"
const beyondMost: readonly RegExp[] = [
  `${whole}[^.;:]{0,40}${counted}[^.;:]{0,40}${over}[^.;]{0,40}(?:\\blimit|\\bmax|\\bcontext\\b|\\d{4})`,
  `${whole}[^.;:]{0,30}${over}[^.;]{0,30}\\bmax(?:imum)?\\b[^.;]{0,20}${counted}`,
  "\\bmaximum input length is \\d+ tokens\\b",
].map((saying) => new RegExp(saying))

// Cohere and others say so of a prompt, and of a reply that would be too long.
const tooMany = /too many (?:input )?tokens/
const ofReply =
  /\bmax(?:imum)?[ _]?(?:(?:completion|output|new)[ _])?tokens\b|\b(?:output|completion) tokens\b/
const ofPrompt =
  /\bprompt|\binputs?\b(?! validation)|\bmessages\b|\bcontext\b|\bconversation\b|\btotal\b|(?<!invalid |bad )\brequest\b/

function hasTooMany(text: string): boolean {
  return tooMany.test(text) && (!ofReply.test(text) || ofPrompt.test(text))
}

// OpenAI and others, llama.cpp, Copilot, GitHub Models, Zhipu.
const codeWords: ReadonlySet<string> = new Set([
  "context_length_exceeded",
  "exceed_context_size_error",
  "model_max_prompt_tokens_exceeded",
  "model_context_window_exceeded",
  "tokens_limit_reached",
  "1261",
])

// Some echo what was sent: the provider's own words stand at the beginning.
const lookedAt = 1000

/**
 * Does an error speak of a prompt that is too long? `message` is the text in lower case, `codes` are the values
 * of its code and type fields. A text about tokens per minute is a rate limit, not a long prompt.
 */
export function isOverflow(message: string, codes: readonly string[]): boolean {
  if (codes.some((code) => codeWords.has(code))) return true
  const text = message.slice(0, lookedAt)
  if (pace.test(text)) return false
  return (
    hasTooMany(text) ||
    sayings.some((saying) => saying.test(text)) ||
    (!ofReply.test(text) && beyondMost.some((saying) => saying.test(text)))
  )
}

// How much may come in what time; Bedrock has "too many tokens" for that as well, and others count by the day or the
// month (xtekky/gpt4free#3456).
const pace =
  /\bper[ _](?:minute|hour|day|week|month)\b|\b(?:hourly|daily|weekly|monthly)\b|\b(?:this|current) (?:day|week|month)\b|\b(?:tpm|tpd)\b|rate limit|throttl|\bquota\b|please wait before/

interface Numbers {
  readonly limit?: number
  readonly input?: number
  readonly output?: number
  readonly total?: number
}

// Where each wording puts its numbers. Named groups; the first pattern that matches gives a number.
const patterns: readonly RegExp[] = [
  /exceed context limit: (?<input>\d+) \+ (?<output>\d+) > (?<limit>\d+)/,
  /maximum context length (?:is|of) (?<limit>\d+)/,
  /configured limit of (?<limit>\d+)/,
  /cannot exceed (?<limit>\d+) - received (?<input>\d+)/,
  /request has (?<input>\d+) input tokens/,
  /requested (?:about |a total of )?(?<total>\d+) (?:total )?tokens/,
  /(?:resulted in|requires?|for a total of(?: at least)?) (?<total>\d+) (?:total |input )?tokens/,
  /(?<input>\d+) (?:in the messages|(?:tokens )?of text input|in the prompt|input tokens|tokens from the input)/,
  /(?<output>\d+) (?:in the completion|tokens? for the completion|output tokens|in the output)/,
  /max_(?:completion_)?tokens'?[^.]*? is too large: (?<output>\d+)/,
  /prompt token count of (?<input>\d+) exceeds the limit of (?<limit>\d+)/,
  /prompt is too long:? (?<input>\d+) tokens? > (?<limit>\d+)/,
  /maximum prompt length is (?<limit>\d+)(?:.*?contains (?<input>\d+) tokens)?/,
  /exceeded model token limit ?: (?<limit>\d+)(?: \(requested: (?<input>\d+)\))?/,
  /current length is (?<input>\d+) while limit is (?<limit>\d+)/,
  /prompt contains (?<input>\d+) tokens.*?(?<limit>\d+) maximum context length/,
  /too large for model with (?<limit>\d+) maximum context length/,
  /input token count \(?(?<input>\d+)\)? exceeds/,
  /exceeds the maximum(?: number of tokens)?(?: allowed)? \(?(?<limit>\d+)/,
  /request \((?<input>\d+) tokens\) exceeds the available context size \((?<limit>\d+)/,
  /\((?<input>\d+) tokens\) is longer than the model's context length \((?<limit>\d+) tokens/,
  /first (?<input>\d+) tokens.*?context length of only (?<limit>\d+)/,
  /range of input length should be \[\d+, ?(?<limit>\d+)\]/,
  /must be <= (?<limit>\d+)\. given: (?<input>\d+) `inputs` tokens and (?<output>\d+)/,
  /context (?:window|length) (?:is|of) (?:only )?(?<limit>\d+)/,
  /prompt is too long: (?<input>\d+), model maximum context length: (?<limit>\d+)/,
  /prompt_tokens \((?<input>\d+)\) must be less than \w+ \((?<limit>\d+)\)/,
  /prompt has (?<input>\d+) tokens, but the configured context size is (?<limit>\d+)/,
  /prompt \(length (?<input>\d+)\) is longer than the maximum model length of (?<limit>\d+)/,
  /max size: (?<limit>\d+) tokens/,
  /input token count is (?<input>\d+) but model only supports up to (?<limit>\d+)/,
  /(?:input|prompt) length \(?(?<input>\d+)(?: tokens)?\)? exceeds [a-z' ]{0,40}length \(?(?<limit>\d+)/,
  /prompt \(total length (?<input>\d+)\) is too long[a-z ]{0,40}\(context length (?<limit>\d+)/,
  /number of input tokens (?<input>\d+) cannot exceed the total tokens limit (?<limit>\d+)/,
  /must have less than (?<limit>\d+) tokens\. given: (?<input>\d+)/,
  /length (?<input>\d+)(?: \+ (?<output>\d+))? is greater than max_seq_len (?<limit>\d+)/,
  /reached context length of (?<limit>\d+)/,
  /n_keep: (?<input>\d+) ?>= ?n_ctx: (?<limit>\d+)/,
  /\bmax tokens of (?<limit>\d+) exceeded/,
  /prompt is (?<input>\d+) tokens long, so generating (?<output>\d+) tokens/,
  /maximum supported sequence length is (?:just )?(?<limit>\d+)/,
  /input and maximum output tokens \((?<total>\d+)\) exceeded [a-z ]{1,40}\((?<limit>\d+)/,
  /prompt tokens \((?<input>\d+)\) exceeds? [a-z ]{1,40}\((?<limit>\d+)/,
  /n_prompt_tokens"?:? ?(?<input>\d+)/,
  /n_ctx"?:? ?(?<limit>\d+)/,
]

function readNumbers(message: string): Numbers {
  const text = message
    .slice(0, lookedAt)
    .toLowerCase()
    .replace(/(?<=\d)[,_](?=\d{3})/g, "")
  const found: Record<string, number> = {}
  for (const pattern of patterns) {
    for (const [name, value] of Object.entries(pattern.exec(text)?.groups ?? {})) {
      if (value !== undefined && found[name] === undefined) found[name] = Number(value)
    }
  }
  return found
}

// With less room than this Claude Code does not ask for less output, it gives up: then compacting is the cure.
const leastOutput = 4_000

/**
 * The wording that makes Claude Code recover. When only input and output together are too much, it is the
 * one that makes it ask for less output; otherwise the one that makes it compact. `estimate` and `window`
 * (tokens) stand in for numbers the provider does not give; `details` may hold more of its numbers.
 */
export function overflowMessage(
  upstream: string,
  estimate: number,
  window: number | null,
  details = "",
): string {
  const { limit, input, output, total } = readNumbers(`${details} ${upstream}`)
  // The total counts what the text lists separately (OpenRouter: text input, tool input, output).
  const prompt = total !== undefined && output !== undefined ? total - output : input
  const tail = upstream === "" ? "" : ` (upstream: ${upstream})`
  if (limit !== undefined && prompt !== undefined && output !== undefined && prompt + leastOutput < limit)
    return `input length and \`max_tokens\` exceed context limit: ${prompt} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again${tail}`
  const all = total ?? (prompt !== undefined && output !== undefined ? prompt + output : prompt)
  const known = prompt !== undefined && prompt > (limit ?? 0) ? prompt : all
  const maximum = limit ?? window ?? Math.max(1, (known ?? estimate) - 1)
  const tokens = Math.max(known ?? estimate, maximum + 1)
  return `prompt is too long: ${tokens} tokens > ${maximum} maximum${tail}`
}
