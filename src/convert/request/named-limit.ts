// "This model gives at most so many tokens": where each provider's wording has the number.

const subject =
  /max_(?:completion_|output_|new_)?tokens|max(?:imum)? (?:output |completion |new )?tokens|(?:output|completion|response) tokens/

// Each group is the number; tried in order, on lower case without separators. The providers are those whose
// wording was seen (2026-11): DeepSeek, DashScope, MiniMax; Google; Anthropic; OpenAI, Azure; Groq, FastAPI
// servers; OpenAI, Ark; vLLM; Bedrock, in two ways; Zhipu; relays.
const sayings: readonly RegExp[] = [
  /tokens[^[\]()]{0,60}[[(]\d+, ?(\d+)\]/,
  /tokens.{0,60}(?:between|from) \d+ (?:\(inclusive\) )?(?:and|to) (\d+)/,
  /tokens: \d+ > (\d+)/,
  /at most (\d+)/,
  /(?:less than or equal to|no (?:more|greater|larger|higher) than|not exceed|up to)\W{1,3}(\d+)/,
  /value <= (\d+)/,
  /(?:cannot|can't|can not|must not|may not|should not) (?:be (?:greater|more|larger|higher) than|exceed)[^\d.]{0,60}(\d+)/,
  /(?:must|should) be <=? ?(\d+)/,
  /(?:model|output|completion|token|tokens) limit (?:of|is)\W{1,3}(\d+)/,
  /max(?:imum)?(?: allowed| permitted| supported)?(?: value| number| output tokens)?(?: is| of|:)\W{1,3}(\d+)/,
  /not less (?:than )?or equal to (\d+)/,
  /(?:greater|more|larger|higher) than (?:the )?(?:max(?:imum)?|limit)\b[^\d.]{0,30}(\d+)/,
  /(?:不能|不得|不可)?(?:超过|大于|高于)[^\d]{0,6}(\d+)/,
  /小于(?:或)?等于[^\d]{0,4}(\d+)/,
  /最大(?:值)?(?:为|是)[^\d]{0,4}(\d+)/,
  /(?:range|allowed|accepts|within)[^\d]{0,20}\d+ ?(?:\.{2,3}|-|–|~|to) ?(\d+)/,
]

// The same with the number itself left out.
const below: readonly RegExp[] = [
  /to (\d+) \(exclusive\)/,
  /tokens[^[\]()]{0,60}[[(]\d+, ?(\d+)\)/,
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

// The fewest that are asked for: OpenAI, vLLM, pydantic.
const atLeast =
  /(?:>=|at least|greater than or equal to|(?:no|not) (?:less|smaller|lower) than|minimum(?: value)?(?: is| of)?:?)\W{0,3}(\d{1,4})\b/
// More than that is nothing that a small request was refused for.
const greatestLeast = 1_024

/** The fewest tokens of a reply that may be asked for; undefined when a refusal (in lower case) names none. */
export function namedLeast(text: string): number | undefined {
  for (const clause of clausesOf(text)) {
    if (!subject.test(clause) || other.test(clause)) continue
    const least = Number(atLeast.exec(clause)?.[1])
    if (least > 0 && least <= greatestLeast) return least
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
