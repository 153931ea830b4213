// "Between this and that": the ends of what a parameter may be, in each provider's wording.
import { type Range, type RangedField, rangedFields } from "./amend-fields.ts"
import { clausesOf } from "./named-limit.ts"

interface NamedRange extends Range {
  readonly field: RangedField
}

const number = "(-?\\d+(?:\\.\\d+)?)"
const both: readonly RegExp[] = [
  // DashScope, GLM, MiniMax, FastAPI servers: brackets say whether the end belongs to it.
  new RegExp(`([[(])${number} ?[,~] ?${number}([\\])])`),
  new RegExp(`(?:between|from|within|range(?: is| of)?:?) ()${number} (?:and|to|-|–|~) ${number}()`),
  new RegExp(`range(?: is| of)?:? ()${number} ?(?:-|–|~|\\.\\.) ?${number}()`),
  new RegExp(`(?:在|介于|范围[是为应:]{0,3}) ?()${number} ?(?:-|–|~|和|与|到|至) ?${number}()`),
]

const not = "(?:\\b(?:no|not|cannot|can't|mustn't|shouldn't)(?: be)? )"
const mayNotBe = "(?:\\b(?:not|cannot|can't|mustn't|shouldn't) be )"
// What is said to be so is no rule.
const rule = `(?<!\\bis )${not}`
const negated = "不[能得可应]?以?"
const more = "(?:more|greater|larger|higher) than"
const less = "(?:less|smaller|lower) than"

// OpenAI, Ark; pydantic; Bedrock; Zhipu's and others' own words.
const upper = new RegExp(
  `(?:<=|(?<!${mayNotBe})less than or equal to|at most|(?:not|n't) exceed|${rule}(?:${less} -?[\\d.]{1,9},? or (?:be )?)?${more}|up to|maximum(?: value)?(?: is| of)?:?|(?<!${negated})小于或?等于|超过|${negated}(?:大|高)于|最大值?[为是]?)\\W{0,3}?${number}`,
)
const lower = new RegExp(
  `(?:>=|(?<!${mayNotBe})greater than or equal to|at least|${rule}(?:${more} -?[\\d.]{1,9},? or (?:be )?)?${less}|minimum(?: value)?(?: is| of)?:?|(?<!${negated})大于或?等于|${negated}(?:小|低)于|至少[为是]?|最小值?[为是]?)\\W{0,3}?${number}`,
)
const beyond = new RegExp(
  `(?<!${not})${less} ${number}|(?:value|be|and|,) ?< ?${number}|${mayNotBe}${more} or equal to ${number}|(?<!${negated})(?:小|低)于 ?${number}`,
)
const above = new RegExp(
  `(?<!${not})${more} ${number}|(?:value|be|and|,) ?> ?${number}|${mayNotBe}${less} or equal to ${number}|(?<!${negated})(?:大|高)于 ?${number}`,
)
const positive = /(?:must|should) be (?:an? |strictly )?positive\b|必须(?:为|是)正/

// The smallest step that matters: half-open ranges end this much before their end.
const steps: Readonly<Record<RangedField, number>> = {
  temperature: 0.01,
  top_p: 0.01,
  top_k: 1,
  thinking_budget: 1,
}

const tidy = (value: number): number => Number(value.toPrecision(12))

/** The field that a refusal (in lower case) speaks of, and the ends it names; undefined when it names none. */
export function namedRange(text: string, param: string): NamedRange | undefined {
  for (const clause of clausesOf(text)) {
    const named = rangedFields.filter((field) => clause.includes(field))
    const [field = rangedFields.find((one) => one === param), ...others] = named
    if (field === undefined || others.length > 0) continue
    const range = endsIn(clause, steps[field])
    if (range !== undefined && isUsable(range, field)) return { field, ...range }
  }
  return undefined
}

/** Whether the value itself stands in the text does not matter; an empty range would. */
function isUsable({ least, most }: Range, field: RangedField): boolean {
  const floor = field === "thinking_budget" ? 128 : 0
  return (most === null || most >= floor) && (least === null || most === null || least <= most)
}

function endsIn(clause: string, step: number): Range | undefined {
  for (const pattern of both) {
    const [, open, low, high, close] = pattern.exec(clause) ?? []
    if (low === undefined || high === undefined) continue
    return {
      least: tidy(Number(low) + (open === "(" ? step : 0)),
      most: tidy(Number(high) - (close === ")" ? step : 0)),
    }
  }
  const most = numberIn(upper, clause) ?? shifted(numberIn(beyond, clause), -step)
  const least = numberIn(lower, clause) ?? shifted(numberIn(above, clause), step) ?? overZero(clause, step)
  return most === undefined && least === undefined ? undefined : { least: least ?? null, most: most ?? null }
}

/** The number in the first group of the pattern that holds one. */
export function numberIn(pattern: RegExp, text: string): number | undefined {
  const found = pattern
    .exec(text)
    ?.slice(1)
    .find((group) => group !== undefined)
  return found === undefined ? undefined : Number(found)
}

const shifted = (value: number | undefined, by: number): number | undefined =>
  value === undefined ? undefined : tidy(value + by)

const overZero = (clause: string, step: number): number | undefined =>
  positive.test(clause) ? step : undefined
