// The frame of a request, read by hand as the conversation in it is: what nearly every request says takes no schema,
// and only what few of them say is left to one. What is read here is what `MessagesRequest` would make of it.

import { isObject, type JsonObject } from "../json.ts"
import { cacheMarksOf } from "./cache-marks.ts"
import {
  type Effort,
  findsNoFiles,
  isEffort,
  MessagesRequest,
  RequestFields,
  readMessages,
} from "./messages.ts"
import { readTools, says } from "./usual-tools.ts"

/** A request, or what is wrong with it. */
export type ParsedRequest = ReturnType<typeof MessagesRequest.safeParse>

/** As `MessagesRequest` reads a body, in a fraction of the time. */
export function parseRequest(body: JsonObject): ParsedRequest {
  const data = readRequest(body)
  return data === undefined ? MessagesRequest.safeParse(body) : { success: true, data }
}

const Rest = RequestFields.pick({
  tool_choice: true,
  output_format: true,
  service_tier: true,
  speed: true,
  compaction: true,
  mcp_servers: true,
  billing_policy: true,
})

const restFields = Object.keys(Rest.shape)

/** Undefined: it says something that is for the schema to read, or to refuse. */
function readRequest(body: JsonObject): MessagesRequest | undefined {
  const { model, max_tokens, temperature, top_p, top_k, stop_sequences, stream } = body
  if (!isText(model) || !isFlag(stream) || !isAmount(max_tokens)) return undefined
  if (!isAmount(temperature) || !isAmount(top_p) || !isAmount(top_k) || !isTexts(stop_sequences))
    return undefined
  const messages = readMessages(body["messages"])
  const system = readSystem(body["system"])
  const tools = readTools(body["tools"])
  if (messages === undefined || system === undefined || tools === "unusual" || !findsNoFiles(messages))
    return undefined
  const thinking = readThinking(body["thinking"])
  const output_config = readOutput(body["output_config"])
  const metadata = readMetadata(body["metadata"])
  if (thinking === "unusual" || output_config === "unusual" || metadata === "unusual") return undefined
  const read = {
    model,
    messages,
    system,
    max_tokens,
    temperature,
    top_p,
    top_k,
    stop_sequences,
    stream,
    tools,
    thinking,
    output_config,
    metadata,
    cache_marks: cacheMarksOf(body),
  }
  if (!says(body, restFields)) return read
  const rest = Rest.safeParse(body)
  return rest.success ? { ...rest.data, ...read } : undefined
}

type Maybe<T> = T | null | undefined

const isText = (value: unknown): value is Maybe<string> =>
  value === undefined || value === null || typeof value === "string"

const isFlag = (value: unknown): value is Maybe<boolean> =>
  value === undefined || value === null || typeof value === "boolean"

/** JSON may write numbers that are too large to be any. */
const isAmount = (value: unknown): value is Maybe<number> =>
  value === undefined || value === null || Number.isFinite(value)

const isTexts = (value: unknown): value is Maybe<string[]> =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.every((item) => typeof item === "string"))

type Unusual = "unusual"

function readThinking(given: unknown): MessagesRequest["thinking"] | Unusual {
  if (given === undefined || given === null) return given
  if (!isPlain(given)) return "unusual"
  const { type, budget_tokens } = given
  if (typeof type !== "string" || !isAmount(budget_tokens)) return "unusual"
  return { ...given, type, budget_tokens }
}

/** As far as it names no format. */
function readOutput(given: unknown): MessagesRequest["output_config"] | Unusual {
  if (given === undefined || given === null) return given
  if (!isPlain(given)) return "unusual"
  const { effort, format } = given
  if (format !== undefined || !isMaybeEffort(effort)) return "unusual"
  return { ...given, effort, format }
}

function readMetadata(given: unknown): MessagesRequest["metadata"] | Unusual {
  if (given === undefined || given === null) return given
  if (!isPlain(given)) return "unusual"
  const { user_id } = given
  return isText(user_id) ? { ...given, user_id } : "unusual"
}

const isPlain = (value: unknown): value is JsonObject => isObject(value) && !Object.hasOwn(value, "__proto__")

const isMaybeEffort = (value: unknown): value is Maybe<Effort> =>
  value === undefined || value === null || isEffort(value)

/** The texts of a system prompt; undefined: it holds something else. */
function readSystem(given: unknown): readonly string[] | undefined {
  if (given === undefined || given === null) return noTexts
  if (typeof given === "string") return [given]
  if (!Array.isArray(given)) return undefined
  const texts: string[] = []
  for (const block of given) {
    if (!isObject(block) || block["type"] !== "text" || typeof block["text"] !== "string") return undefined
    texts.push(block["text"])
  }
  return texts
}

const noTexts: readonly string[] = Object.freeze([])
