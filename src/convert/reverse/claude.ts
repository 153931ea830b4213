// What Claude's models refuse, taken out of requests of OpenAI's clients: those cannot know of it, and what an upstream
// of the Messages API is sent for them is in our words.
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import { modelKey } from "../../providers/models.ts"

interface Generation {
  readonly match: RegExp
  /** Does it think as it sees fit? Older ones do so within a budget, which no client of OpenAI's names, or not at all. */
  readonly adaptive: boolean
  /** Does it take `temperature` and its kin? */
  readonly sampling: boolean
  readonly alwaysThinks?: boolean
  /** A call cannot be forced. */
  readonly unforced?: boolean
}

/**
 * The first that matches (platform.claude.com, adaptive thinking and migration guide; RooCodeInc/Roo-Code#12162,
 * stdapi-ai/stdapi.ai#284).
 */
const generations: readonly Generation[] = [
  {
    match: /claude-(instant|v?2|3|(opus|sonnet|haiku)-4(?![.-]([6-9]|\d\d(?!\d))))/,
    ...{ adaptive: false, sampling: true },
  },
  {
    match: /claude-(fable-5[.-]\d(?!\d)|(opus|sonnet)-5[.-]5)/,
    ...{ adaptive: true, sampling: false, alwaysThinks: true, unforced: true },
  },
  { match: /claude-(fable|mythos)/, adaptive: true, sampling: false, alwaysThinks: true },
  { match: /claude-(opus-4[.-][7-9]|[a-z]+-[5-9])/, adaptive: true, sampling: false },
  { match: /claude/, adaptive: true, sampling: true },
]

interface Fitted {
  readonly body: JsonObject
  /** Paths are those of the Chat request. */
  readonly notes: readonly Note[]
}

/** The converted request as this model takes it. */
export function fitClaude(given: JsonObject, model: string): Fitted {
  const name = modelKey(model)
  const generation = generations.find(({ match }) => match.test(name))
  if (generation === undefined) return { body: given, notes: [] }
  const { body, notes } = fitHistory(fitChoice(fitThinking(given, generation), generation))
  const refused = refusedSampling(body, generation)
  const rest = Object.entries(body).filter(([field]) => !refused.has(field))
  return {
    body: Object.fromEntries(rest),
    notes: [...notes, ...[...refused].map(([field, why]) => dropped(field, why))],
  }
}

const thinks = (body: JsonObject): boolean => objectOf(body["thinking"])["type"] === "adaptive"

function fitThinking(body: JsonObject, { adaptive, alwaysThinks }: Generation): Fitted {
  if (alwaysThinks === true && objectOf(body["thinking"])["type"] === "disabled") {
    const least = {
      thinking: { type: "adaptive" },
      output_config: { ...objectOf(body["output_config"]), effort: "low" },
    }
    const note = changed("reasoning_effort", "this model always thinks: none is sent as low")
    return { body: { ...body, ...least }, notes: [note] }
  }
  if (adaptive || !thinks(body)) return { body, notes: [] }
  const { thinking: _, output_config, ...rest } = body
  const { effort: __, ...format } = objectOf(output_config)
  const left = Object.keys(format).length === 0 ? rest : { ...rest, output_config: format }
  return { body: left, notes: [dropped("reasoning_effort", "this model has no such degrees")] }
}

function fitChoice({ body, notes }: Fitted, { unforced }: Generation): Fitted {
  const { type, name: _, ...choice } = objectOf(body["tool_choice"])
  if (unforced !== true || (type !== "any" && type !== "tool")) return { body, notes }
  const note = changed("tool_choice", "this model's calls cannot be forced: sent as auto")
  return { body: { ...body, tool_choice: { ...choice, type: "auto" } }, notes: [...notes, note] }
}

/** Claude takes no thinking back without its signature, which OpenAI's clients do not keep; it can do without. */
function fitHistory({ body, notes }: Fitted): Fitted {
  const history = arrayOf(body["messages"])
  const isThought = (block: unknown) => objectOf(block)["type"] === "thinking"
  const messages = history.map((message) => {
    const content = arrayOf(objectOf(message)["content"])
    if (!isObject(message) || !content.some(isThought)) return message
    return { ...message, content: content.filter((block) => !isThought(block)) }
  })
  if (messages.every((message, index) => message === history[index])) return { body, notes }
  const said = messages.filter((message) => arrayOf(objectOf(message)["content"]).length > 0)
  const note = dropped("messages", "thinking of earlier turns, without a signature")
  return { body: { ...body, messages: said }, notes: [...notes, note] }
}

/** Fields that are not taken, and why. */
function refusedSampling(body: JsonObject, { sampling }: Generation): ReadonlyMap<string, string> {
  const sent = ["temperature", "top_p", "top_k"].filter((field) => body[field] !== undefined)
  const all = (why: string) => new Map(sent.map((field) => [field, why]))
  if (!sampling) return all("this model does not take it")
  if (thinks(body)) return all("not taken while thinking")
  const both = sent.includes("temperature") && sent.includes("top_p")
  return new Map(both ? [["top_p", "not taken together with temperature"]] : [])
}
