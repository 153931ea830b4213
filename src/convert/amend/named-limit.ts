// "This model gives at most so many tokens": where each provider's wording has the number.

const subjectWords =
  "(?:max_(?:completion_|output_|new_)?tokens|max(?:imum)? (?:output |completion |new )?tokens|(?:output|completion|response) tokens)"
const subject = new RegExp(subjectWords)

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
  /max(?:imum)? number of (?:output|completion|new) tokens[a-z ]{0,40} is (\d+)/,
  /not less (?:than )?or equal to (\d+)/,
  /(?:greater|more|larger|higher) than (?:the )?(?:max(?:imum)?|limit)\b[^\d.]{0,30}(\d+)/,
  /(?:超过|(?<!必须|需要?|应当?|应该)(?:大于|高于))[^\d,;。]{0,12}(\d+)/,
  /小于或?等于[^\d]{0,4}(\d+)/,
  /最(?:大|多)(?:值|支持)?[为是:]?[^\d]{0,4}(\d+)/,
  /(?:范围|介于|在)[^\d,;。]{0,4}\d+ ?(?:-|–|~|和|与|到|至) ?(\d+)/,
  /(?:range|allowed|accepts|within)[^\d]{0,20}\d+ ?(?:\.{2,3}|-|–|~|to) ?(\d+)/,
]

// The same with the number itself left out.
const below: readonly RegExp[] = [
  /to (\d+) \(exclusive\)/,
  /tokens[^[\]()]{0,60}[[(]\d+, ?(\d+)\)/,
  /(?:must|should) be (?:less|smaller|lower) than (\d+)/,
  /(?<!不[能得可应]?以?)[小低]于 ?(\d+)/,
]

// "So many exceed so many": it is the reply's tokens that do, and the number behind them may be those asked for.
const exceeding = `${subjectWords}(?:[^a-z.;]{1,20}(?:requested|value|parameter|specified|provided|setting|you|of|is|was)){0,4}[^a-z.;]{0,20}exceed(?:s|ed|ing)?`
const filler =
  "(?:(?:maximum|max|allowed|permitted|supported|model(?:'s)?|output|completion|response|tokens?|limit|cap|value|number|length|of|is|for|this|the|a)[ :=]{1,2}){0,8}"
const limitWord =
  "(?:(?:the|but|only|maximum|max|limit|model|is|cap)\\W{1,2}){0,4}(?:allowed|permitted|maximum|max|limit|cap)"
const exceeded: readonly RegExp[] = [
  // Behind the number that was sent: in brackets, or after a comma.
  `${exceeding}[^.;]{0,60}?[(,] ?${limitWord}(?: is| of)?[ :=]{1,3}(\\d+)`,
  `${exceeding}[^.;]{0,40}?\\d+ > (\\d+)`,
  `${exceeding}:? ${filler}["'\`]?(\\d+)`,
].map((saying) => new RegExp(saying))

// Numbers of something else.
const other =
  /sum of|total tokens|prompt tokens|context length|budget|\bimages?\b|\bcharacters?\b|\bsequences?\b|\bper (?:min|minute|day|hour|request|image)\b|图[片像]|上下文|字符/

// No model gives fewer: such a number counts something else.
const leastLimit = 256

// A sentence without a subject of its own goes on with that of the one before.
const clauseEnd =
  /[.;]\s(?!expected|(?:please )?use a (?:number|value)|it (?:must|should|can)|the max(?:imum)?(?: allowed)?(?: value)? is)|\n/

/** The sentences of a text, and their parts between semicolons; what is expected belongs to what is not taken. */
export function clausesOf(text: string): readonly string[] {
  return text.split(clauseEnd)
}

/**
 * The most tokens of a reply that a refusal (in lower case) names; undefined when it speaks of none. `sent` is what
 * was asked for: where a text may name that one too, it is not taken for the limit.
 */
export function namedLimit(text: string, sent?: number): number | undefined {
  for (const clause of clausesOf(text)) {
    const most = limitIn(clause, sent)
    if (most !== undefined && most >= leastLimit) return most
  }
  return undefined
}

// The fewest that are asked for: OpenAI, vLLM, pydantic.
const atLeast =
  /(?:>=|at least|greater than or equal to|(?:no|not) (?:be )?(?:less|smaller|lower) than|cannot be (?:less|smaller|lower) than|minimum(?: value)?(?: is| of)?:?|大于或?等于|不[能得可应]?以?[小低]于|至少[为是]?)\W{0,3}(\d{1,4})\b/
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

function limitIn(text: string, sent: number | undefined): number | undefined {
  if (!subject.test(text) || other.test(text)) return undefined
  const beyond = firstNumber(below, text)
  if (beyond !== undefined) return beyond - 1
  const beside = text.includes("exceed") ? firstNumber(exceeded, text, sent) : undefined
  return beside ?? firstNumber(sayings, text)
}

function firstNumber(patterns: readonly RegExp[], text: string, not?: number): number | undefined {
  for (const pattern of patterns) {
    const number = pattern.exec(text)?.[1]
    if (number !== undefined && Number(number) !== not) return Number(number)
  }
  return undefined
}
