// Does the model think in this request; and what thinking demands of the history and forbids beside it.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import type { Rules } from "./rules.ts"

function effortSays(word: unknown): boolean | undefined {
  return typeof word === "string" ? word !== "none" : undefined
}

function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined
}

/** By the switches of the request, the first one that says anything; else the model's own habit. */
export function isThinking(body: JsonObject, rules: Rules): boolean {
  if (rules.thinks === "always" || rules.thinks === "never") return rules.thinks === "always"
  const kwargs = objectOf(body["chat_template_kwargs"])
  const reasoning = objectOf(body["reasoning"])
  const type = objectOf(body["thinking"])["type"]
  const switches = [
    typeof type === "string" ? type !== "disabled" : undefined,
    flag(body["enable_thinking"]),
    flag(kwargs["enable_thinking"]) ?? flag(kwargs["thinking"]),
    flag(reasoning["enabled"]) ?? effortSays(reasoning["effort"]),
    reasoning["max_tokens"] === undefined ? undefined : true,
    effortSays(body["reasoning_effort"]),
  ]
  return switches.find((said) => said !== undefined) ?? rules.thinks === "on"
}

export function checkThinking(body: JsonObject, rules: Rules): readonly string[] {
  const thinking = isThinking(body, rules)
  const unstreamed = thinking && rules.streamToThink && body["stream"] !== true
  return [
    ...(unstreamed ? ["enable_thinking: must be set to false for non-streaming calls"] : []),
    ...(thinking ? checkForced(body, rules) : []),
    ...(thinking ? checkReasoningBack(body, rules) : []),
    ...(rules.signatures ? checkSignatures(body) : []),
  ]
}

function checkForced(body: JsonObject, rules: Rules): readonly string[] {
  const choice = body["tool_choice"]
  const kind = isObject(choice) ? "named" : choice === "required" || choice === "any" ? "required" : undefined
  const refused = kind !== undefined && rules.unforcedWhileThinking.includes(kind)
  return refused ? [`tool_choice: ${rules.unforcedWhy}`] : []
}

function checkReasoningBack(body: JsonObject, rules: Rules): readonly string[] {
  const rule = rules.reasoningBack
  if (rule === null) return []
  return arrayOf(body["messages"]).flatMap((item, index) => {
    const message = objectOf(item)
    const needed =
      message["role"] === "assistant" && (rule.on === "all" || message["tool_calls"] !== undefined)
    const missing = needed && typeof message["reasoning_content"] !== "string"
    return missing ? [`messages[${index}]: ${rule.why.replace("{}", String(index))}`] : []
  })
}

/** Gemini 3: the first call of each step since the user last spoke. */
function checkSignatures(body: JsonObject): readonly string[] {
  const messages = arrayOf(body["messages"]).map(objectOf)
  const turn = messages.findLastIndex((message) => message["role"] === "user")
  return messages.flatMap((message, index) => {
    const [call] = arrayOf(message["tool_calls"])
    if (index < turn || call === undefined) return []
    const google = objectOf(objectOf(objectOf(call)["extra_content"])["google"])
    const signature = google["thought_signature"]
    return typeof signature === "string" && signature !== ""
      ? []
      : [
          `messages[${index}].tool_calls[0]: Function call is missing a thought_signature in functionCall parts.`,
        ]
  })
}

/** The same through OpenRouter, which knows a signature by its call's id (RooCodeInc/Roo-Code#10640). */
export function checkSignedDetails(body: JsonObject): readonly string[] {
  const messages = arrayOf(body["messages"]).map(objectOf)
  const turn = messages.findLastIndex((message) => message["role"] === "user")
  return messages.flatMap((message, index) => {
    const [call] = arrayOf(message["tool_calls"]).map(objectOf)
    if (index < turn || call === undefined) return []
    const signs = (item: JsonObject) => item["type"] === "reasoning.encrypted" && item["id"] === call["id"]
    return arrayOf(message["reasoning_details"]).map(objectOf).some(signs)
      ? []
      : [
          `messages[${index}].tool_calls[0]: Gemini models require OpenRouter reasoning details to be preserved in each request.`,
        ]
  })
}
