// A body that a provider's strict validator accepts, and small changes to it, for the tests of the validators.
import { arrayOf, type JsonObject, objectOf } from "../../../src/protocol/json.ts"

export const bash = {
  type: "function",
  function: {
    name: "Bash",
    description: "Runs a shell command.",
    parameters: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
  },
}

export const callId = "abc123XYZ"

const reasoningContent = ["deepseek", "moonshot", "kimi", "ark", "siliconflow", "generic"]

/** A user, a call, its result, the user again; with what the provider wants on top. */
export function sampleFor(id: string, model: string): JsonObject {
  const call = {
    id: callId,
    type: "function",
    function: { name: "Bash", arguments: '{"command":"ls"}' },
    ...(id === "gemini" ? { extra_content: { google: { thought_signature: "EjQKMg" } } } : {}),
  }
  return {
    model,
    stream: true,
    messages: [
      { role: "user", content: "Which files are there?" },
      {
        role: "assistant",
        content: "I look.",
        ...(reasoningContent.includes(id) ? { reasoning_content: "" } : {}),
        tool_calls: [call],
      },
      { role: "tool", tool_call_id: callId, content: "a.txt", ...(id === "mistral" ? { name: "Bash" } : {}) },
      { role: "user", content: "Go on." },
    ],
    tools: [bash],
    ...(/gpt-5\.[56]/.test(model) ? { reasoning_effort: "none" } : {}),
  }
}

export type Change = (body: JsonObject) => JsonObject

/** Sets top-level fields; undefined takes one away. */
export const fields =
  (values: JsonObject): Change =>
  (body) => ({ ...body, ...values })

/** Sets members of one message. */
export const message =
  (index: number, values: JsonObject): Change =>
  (body) => ({ ...body, messages: replaceAt(arrayOf(body["messages"]), index, values) })

/** Sets members of the one call. */
export const call =
  (values: JsonObject): Change =>
  (body) => {
    const calls = arrayOf(objectOf(arrayOf(body["messages"])[1])["tool_calls"])
    return message(1, { tool_calls: replaceAt(calls, 0, values) })(body)
  }

/** Sets members of the one tool's function. */
export const tool =
  (values: JsonObject): Change =>
  (body) => {
    const [first] = arrayOf(body["tools"])
    return {
      ...body,
      tools: [{ type: "function", function: { ...objectOf(objectOf(first)["function"]), ...values } }],
    }
  }

/** The messages anew: by these places, or other messages in their place. */
export const messages =
  (...items: readonly (number | JsonObject)[]): Change =>
  (body) => {
    const old = arrayOf(body["messages"])
    return { ...body, messages: items.map((item) => (typeof item === "number" ? old[item] : item)) }
  }

/** The one property of the tool's parameters. */
export const property = (schema: unknown): Change =>
  tool({ parameters: { type: "object", properties: { value: schema } } })

/** Several changes, one after the other. */
export const all =
  (...changes: readonly Change[]): Change =>
  (body) =>
    changes.reduce((changed, change) => change(changed), body)

function replaceAt(items: readonly unknown[], index: number, values: JsonObject): readonly unknown[] {
  return items.map((item, place) => (place === index ? { ...objectOf(item), ...values } : item))
}
