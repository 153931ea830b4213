// How long a reply may be served again, where the configuration does not say: what is asked about code, about
// numbers, or about settled facts has the same answer tomorrow; other talk soon sounds stale.
import { classifyTask } from "../../convert/task/task.ts"
import { lastUserWords } from "../../convert/task/user-words.ts"
import type { MessagesRequest } from "../../protocol/messages/messages.ts"

const hourMs = 3_600_000

/** For code, calculations, data in a given form, and facts. */
export const longLifeMs = 24 * hourMs
/** For everything else. */
export const shortLifeMs = hourMs

interface Lived {
  readonly messages: MessagesRequest["messages"]
  /** JSON was asked for. */
  readonly json: boolean
  /** The text of the reply. */
  readonly text: string
}

/** Milliseconds that this reply lives. */
export function lifeOf({ messages, json, text }: Lived): number {
  const words = lastUserWords(messages)
  if (passing.test(words)) return shortLifeMs
  if (json || text.includes("```")) return longLifeMs
  const task = classifyTask(words)
  if (task === "code" || task === "reasoning") return longLifeMs
  return task !== "creative" && question.test(words) ? longLifeMs : shortLifeMs
}

/** What changes by the day. */
const passing =
  /\b(?:today|tonight|tomorrow|yesterday|now|nowadays|current(?:ly)?|latest|newest|recent(?:ly)?|(?:this|last|next) (?:week|month|year)|news|weather|forecast|score|price)\b|今天|今晚|明天|昨天|现在|目前|当前|最新|最近|新闻|天气|股价/i

/** A question for a fact, a definition, or a translation. */
const question =
  /^\W{0,10}(?:what|who|whom|whose|when|where|which|define|explain|translate|convert|how (?:many|much|long|far|old|tall|big|do|does|can)|is|are|was|were|does|did)\b|^.{0,20}(?:什么|谁|哪|何时|多少|翻译|解释|定义|是不是|怎么|如何)/i
