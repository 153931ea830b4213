// Reasoning effort in the words that an upstream says it takes.
import { type ChatRequest, type ReasoningEffort, reasoningEfforts } from "../../protocol/chat/chat.ts"
import { changed, type Note } from "../../protocol/fault.ts"

/** A body that was changed, and what was done to it. */
export interface Change {
  readonly body: ChatRequest
  readonly notes: readonly Note[]
}

const rankOf = (word: ReasoningEffort): number =>
  reasoningEfforts.indexOf(word === "default" ? "medium" : word)

/** The highest effort that is taken and not above the one wanted, or else the lowest one. */
function nearest(
  wanted: ReasoningEffort,
  taken: readonly ReasoningEffort[],
  isOff: boolean,
): ReasoningEffort | undefined {
  const sorted = taken.toSorted((one, other) => rankOf(one) - rankOf(other))
  const below = sorted.findLast((word) => rankOf(word) <= rankOf(wanted) && (isOff || word !== "none"))
  // Thinking that was asked for is not switched off for want of an effort.
  return below ?? sorted.find((word) => isOff || word !== "none") ?? sorted[0]
}

/** The effort in the nearest word that is taken; undefined where it is taken already. */
export function changeEffort(body: ChatRequest, taken: readonly ReasoningEffort[]): Change | undefined {
  const inObject = body.reasoning_effort === undefined && body.reasoning !== undefined
  const given = inObject ? body.reasoning?.effort : body.reasoning_effort
  const now = given ?? (body.reasoning?.enabled === false ? "none" : undefined)
  if (now === undefined || taken.includes(now)) return setUnsaid(body, taken, now)
  const word = nearest(now, taken, now === "none")
  if (word === undefined) return undefined
  const why = `${now === "none" ? "off" : now} is sent as ${word}, the nearest effort taken here`
  const field = inObject ? { reasoning: { effort: word } } : { reasoning_effort: word }
  return { body: { ...body, ...field }, notes: [changed("output_config.effort", why)] }
}

/** A single effort has to be named even by who wants none in particular: the default may be refused too. */
function setUnsaid(
  body: ChatRequest,
  taken: readonly ReasoningEffort[],
  now: ReasoningEffort | undefined,
): Change | undefined {
  const [only, ...others] = taken
  if (now !== undefined || only !== "none" || others.length > 0) return undefined
  const note = changed("output_config.effort", "none, the only effort taken here")
  return { body: { ...body, reasoning_effort: only }, notes: [note] }
}
