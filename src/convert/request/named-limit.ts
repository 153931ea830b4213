// "This model gives at most so many tokens": where each provider's wording has the number.

const subject =
  /max_(?:completion_|output_|new_)?tokens|max(?:imum)? tokens|(?:output|completion|response) tokens/

// Each group is the number; tried in order, on lower case without separators. The providers are those whose
// wording was seen (2026-11): DeepSeek, DashScope, MiniMax; Google; Anthropic; OpenAI, Azure; Groq, FastAPI
// servers; OpenAI, Ark; vLLM; Bedrock.
const sayings: readonly RegExp[] = [
  /tokens[^[\]()]{0,60}[[(]\d+, ?(\d+)[\])]/,
  /tokens.{0,60}(?:between|from) \d+ (?:\(inclusive\) )?(?:and|to) (\d+)/,
  /tokens: \d+ > (\d+)/,
  /at most (\d+)/,
  /(?:less than or equal to|no (?:more|greater|larger|higher) than|not exceed|up to)\W{1,3}(\d+)/,
  /value <= (\d+)/,
  /(?:cannot|can't|can not|must not|may not|should not) (?:be (?:greater|more|larger|higher) than|exceed)[^\d.]{0,60}(\d+)/,
  /(?:must|should) be <=? ?(\d+)/,
  /(?:model|output|completion|token|tokens) limit (?:of|is)\W{1,3}(\d+)/,
  /max(?:imum)?(?: allowed| permitted| supported)?(?: value| number| output tokens)?(?: is| of|:)\W{1,3}(\d+)/,
]

// The same with the number itself left out.
const below: readonly RegExp[] = [
  /to (\d+) \(exclusive\)/,
  /(?:must|should) be (?:less|smaller|lower) than (\d+)/,
]

// Numbers of something else.
const other =
  /sum of|total tokens|prompt tokens|context length|budget|\bimages?\b|\bcharacters?\b|\bsequences?\b|\bper (?:min|minute|day|hour|request|image)\b/

// No model gives fewer: such a number counts something else.
const leastLimit = 256

// A sentence without a subject of its own goes on with that of the one before.
const clauseEnd = /[.;]\s(?!expected|it (?:must|should|can)|the max(?:imum)?(?: allowed)?(?: value)? is)|\n/

/** The sentences of a text, and their parts between semicolons; what is expected belongs to what is not taken. */
export function clausesOf(text: string): readonly string[] {
  return text.split(clauseEnd)
}

/** The most tokens of a reply that a refusal (in lower case) names; undefined when it speaks of none. */
export function namedLimit(text: string): number | undefined {
  for (const clause of clausesOf(text)) {
    const most = limitIn(clause)
    if (most !== undefined && most >= leastLimit) return most
  }
  return undefined
}

function limitIn(text: string): number | undefined {
  if (!subject.test(text) || other.test(text)) return undefined
  const beyond = firstNumber(below, text)
  return beyond === undefined ? firstNumber(sayings, text) : beyond - 1
}

function firstNumber(patterns: readonly RegExp[], text: string): number | undefined {
  for (const pattern of patterns) {
    const number = pattern.exec(text)?.[1]
    if (number !== undefined) return Number(number)
  }
  return undefined
}
