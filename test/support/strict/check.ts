// All checks of one request body, as the strict server of `rules` makes them.
import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../../src/protocol/json.ts"
import { checkMessage, checkWellFormed } from "./messages.ts"
import { checkOrder } from "./order.ts"
import type { Rules } from "./rules.ts"
import { checkMembers } from "./shape.ts"
import { checkThinking } from "./thinking.ts"
import { checkFormat, checkTools } from "./tools.ts"

/** Why this body would be refused, one line each, with the place; empty: it is accepted. */
export function checkRequest(given: JsonObject, rules: Rules): readonly string[] {
  // What goes over the wire: members that are undefined do not.
  const sent = parseJson(JSON.stringify(given))
  if (!sent.ok || !isObject(sent.value)) return ["body: not a JSON object"]
  const body = sent.value
  return [
    ...checkWellFormed(body, ""),
    ...checkFields(body, rules),
    ...arrayOf(body["messages"]).flatMap((message, index) => checkMessage(message, index, rules)),
    ...checkOrder(body, rules),
    ...checkTools(body, rules),
    ...checkFormat(body, rules),
    ...checkThinking(body, rules),
    ...rules.also.flatMap((check) => check(body)),
  ]
}

function checkFields(body: JsonObject, rules: Rules): readonly string[] {
  const refused = Object.entries(rules.refused).filter(([key]) => body[key] !== undefined)
  const others = Object.entries(body).filter(([key]) => !Object.hasOwn(rules.refused, key))
  const stop = Array.isArray(body["stop"]) ? body["stop"] : []
  const both = rules.exclusive.filter(([one, other]) => has(body, one) && has(body, other))
  const missing = ["model", "messages"].filter((key) => body[key] === undefined)
  return [
    ...missing.map((key) => `${key}: Field required`),
    ...(body["model"] === "" ? ["model: must not be empty"] : []),
    ...refused.map(([key, why]) => `${key}: ${why}`),
    ...checkMembers(Object.fromEntries(others), rules.fields, "", rules.unknown),
    ...both.map(([one, other]) => `${one}: may not be combined with ${other}`),
    ...(has(body, "stream_options") && body["stream"] !== true
      ? ["stream_options: is only allowed when 'stream' is enabled."]
      : []),
    ...(stop.length > rules.stopMost
      ? [`stop: array too long. Expected an array with maximum length ${rules.stopMost}, got ${stop.length}`]
      : []),
    ...(stop.includes("") ? ["stop: a stop sequence should not be empty"] : []),
    ...checkTokens(body, rules),
  ]
}

/** Looks into nested fields by dots: `extra_body.google.thinking_config`. */
function has(body: JsonObject, path: string): boolean {
  return path.split(".").reduce<unknown>((at, key) => objectOf(at)[key], body) !== undefined
}

function checkTokens(body: JsonObject, rules: Rules): readonly string[] {
  const given = Number(body["max_completion_tokens"] ?? body["max_tokens"] ?? 0)
  return [
    ...(given > rules.maxTokens
      ? [
          `max_tokens: is too large: ${given}. This model supports at most ${rules.maxTokens} completion tokens`,
        ]
      : []),
    ...(given > rules.unstreamedTokens && body["stream"] !== true
      ? [`max_tokens: Requests with max_tokens > ${rules.unstreamedTokens} must have stream=true`]
      : []),
  ]
}
