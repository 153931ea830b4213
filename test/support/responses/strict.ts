// What OpenAI's Responses API refuses in a request, by its reference (2026-11): unknown members, wrong shapes, and
// what reasoning models do not take. What a conversation adds to that is in memory.ts.
import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../../src/protocol/json.ts"
import { findLeaks } from "../strict/leaks.ts"
import { checkWellFormed } from "../strict/messages.ts"
import { checkSchema, checkStrict } from "../strict/schemas.ts"
import { checkMembers, checkShape, type Shape, type Shapes } from "../strict/shape.ts"

const unknown = "Unknown parameter: '{}'."

const inputText: Shape = { members: { text: "text" }, needs: ["text"] }
/** What a model said; its sources are no news to it, but have to be a list. */
const outputText: Shape = {
  members: { text: "text", annotations: { list: "anything" } },
  needs: ["text", "annotations"],
}
const detail: Shape = { words: ["low", "high", "auto", "original"] }
const inputParts: Shapes = {
  input_text: inputText,
  input_image: { members: { image_url: "text", detail }, needs: ["image_url"] },
  input_file: { members: { filename: "text", file_data: "text", file_url: "text" } },
}
const parts: Shape = { list: { byType: inputParts }, least: 1 }

/** Items of the conversation; what is stored nowhere has no id. */
const items: Shapes = {
  message: {
    members: {
      role: { words: ["user", "system", "developer", "assistant"] },
      content: "anything",
      phase: { words: ["commentary", "final_answer"] },
      status: { words: ["completed"] },
    },
    needs: ["role", "content"],
  },
  reasoning: {
    members: {
      summary: { list: { byType: { summary_text: inputText } } },
      encrypted_content: "text",
    },
    needs: ["summary", "encrypted_content"],
  },
  function_call: {
    members: { call_id: { longest: 64 }, name: "text", arguments: "text" },
    needs: ["call_id", "name", "arguments"],
  },
  function_call_output: {
    members: { call_id: { longest: 64 }, output: { either: ["text", parts] } },
    needs: ["call_id", "output"],
  },
}

const location: Shape = {
  byType: {
    approximate: { members: { city: "text", country: { longest: 2 }, region: "text", timezone: "text" } },
  },
}
const tools: Shapes = {
  function: {
    members: { name: "text", description: "text", parameters: "object", strict: "boolean" },
    needs: ["name", "parameters", "strict"],
  },
  web_search: {
    members: {
      filters: { members: { allowed_domains: { list: "text", least: 1, most: 100 } } },
      user_location: location,
      search_context_size: { words: ["low", "medium", "high"] },
    },
  },
}

const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
const formats: Shapes = {
  text: { members: {} },
  json_object: { members: {} },
  json_schema: {
    members: { name: "text", description: "text", schema: "object", strict: "boolean" },
    needs: ["name", "schema"],
  },
}

const fields: Shapes = {
  model: "text",
  instructions: "text",
  input: { list: { byType: items }, least: 1 },
  stream: "boolean",
  store: { words: [false] },
  include: { list: { words: ["reasoning.encrypted_content", "web_search_call.action.sources"] } },
  max_output_tokens: { from: 16, whole: true },
  temperature: { from: 0, to: 2 },
  top_p: { from: 0, to: 1 },
  tools: { list: { byType: tools }, least: 1, most: 128 },
  tool_choice: "anything",
  parallel_tool_calls: "boolean",
  reasoning: { members: { effort: { words: efforts }, summary: { words: ["auto", "concise", "detailed"] } } },
  text: {
    members: { format: { byType: formats }, verbosity: { words: ["low", "medium", "high"] } },
  },
  service_tier: { words: ["auto", "default", "flex", "priority"] },
  prompt_cache_key: { longest: 64 },
  safety_identifier: { longest: 64 },
}

export const isReasoner = (model: unknown): boolean => /^(o\d|gpt-[5-9])(?!.*chat)/.test(String(model))

/** Why this body would be refused, one line each, with the place; empty: it is accepted. */
export function checkResponsesBody(given: JsonObject): readonly string[] {
  const sent = parseJson(JSON.stringify(given))
  const body = objectOf(sent.ok ? sent.value : undefined)
  return [
    ...["model", "input", "store"]
      .filter((key) => body[key] === undefined)
      .map((key) => `${key}: Field required`),
    ...checkMembers(body, fields, "", unknown),
    ...checkWellFormed(body, ""),
    ...arrayOf(body["input"]).flatMap((item, at) => checkItem(objectOf(item), `input[${at}]`)),
    ...checkTools(body),
    ...checkFormat(body),
    ...checkReasoning(body),
    ...findLeaks(withoutEncrypted(body)),
  ]
}

/** Encrypted reasoning may stand in its place, and nowhere else. */
function withoutEncrypted(body: JsonObject): JsonObject {
  const input = arrayOf(body["input"]).map((item) => ({ ...objectOf(item), encrypted_content: undefined }))
  return { ...body, input }
}

function checkItem(item: JsonObject, path: string): readonly string[] {
  const id = item["call_id"]
  return [
    ...(item["type"] === "message" ? checkMessage(item, path) : []),
    ...(id === undefined || /^[a-zA-Z0-9_-]+$/.test(String(id))
      ? []
      : [`${path}.call_id: '${id}' has odd characters`]),
    ...(item["type"] === "function_call" ? checkArguments(item, path) : []),
    ...(item["type"] === "function_call_output" ? checkParts(item["output"], `${path}.output`) : []),
  ]
}

function checkMessage(item: JsonObject, path: string): readonly string[] {
  const { role, content } = item
  const mine = role === "assistant"
  const own: Shape = { list: { byType: { output_text: outputText, refusal: "anything" } }, least: 1 }
  const shape: Shape = { either: mine ? [own, "text"] : [parts, "text"] }
  const empty = arrayOf(content).filter((part) => objectOf(part)["text"] === "")
  return [
    ...checkShape(content, shape, `${path}.content`, unknown),
    ...(mine === (item["status"] !== undefined) ? [] : [`${path}.status: the assistant's messages have one`]),
    ...(mine || item["phase"] === undefined ? [] : [`${path}.phase: only the assistant's messages have one`]),
    ...(mine ? [] : checkParts(content, `${path}.content`)),
    ...empty.map(() => `${path}.content: an empty text`),
  ]
}

function checkParts(content: unknown, path: string): readonly string[] {
  return arrayOf(content).flatMap((item) => {
    const { type, image_url, filename, file_data, file_url } = objectOf(item)
    const image = /^(https?:|data:image\/(png|jpeg|gif|webp);base64,)/.test(String(image_url))
    const given = /^data:application\/pdf;base64,[A-Za-z0-9+/]+=*$/.test(String(file_data))
    const file = file_url === undefined ? given && filename !== undefined : file_data === undefined
    return [
      ...(type === "input_image" && !image ? [`${path}: Invalid image_url`] : []),
      ...(type === "input_file" && !file ? [`${path}: Invalid file_data`] : []),
    ]
  })
}

function checkArguments(item: JsonObject, path: string): readonly string[] {
  const parsed = parseJson(String(item["arguments"]))
  return parsed.ok && isObject(parsed.value) ? [] : [`${path}.arguments: not a JSON object`]
}

function checkTools(body: JsonObject): readonly string[] {
  const offered = arrayOf(body["tools"]).map(objectOf)
  const names = offered.flatMap(({ name }) => (name === undefined ? [] : [String(name)]))
  const choice = body["tool_choice"]
  return [
    ...(new Set(names).size < names.length ? ["tools: Tool names must be unique."] : []),
    ...names.flatMap((name) => (/^[a-zA-Z0-9_-]{1,64}$/.test(name) ? [] : [`tools: name '${name}'`])),
    ...offered.flatMap((tool, at) => checkParameters(tool, `tools[${at}].parameters`)),
    ...(choice === undefined ? [] : checkChoice(choice, offered)),
    ...(offered.length === 0 && body["parallel_tool_calls"] !== undefined
      ? ["parallel_tool_calls: no tools"]
      : []),
  ]
}

function checkParameters({ type, parameters, strict }: JsonObject, path: string): readonly string[] {
  if (type !== "function") return []
  return [
    ...checkSchema(parameters, path, ["openai"]),
    ...(strict === true ? checkStrict(parameters, path) : []),
  ]
}

function checkChoice(choice: unknown, offered: readonly JsonObject[]): readonly string[] {
  if (offered.length === 0) return ["tool_choice: is only allowed when 'tools' are specified."]
  if (typeof choice === "string") {
    return ["auto", "none", "required"].includes(choice) ? [] : [`tool_choice: Invalid value '${choice}'`]
  }
  const { type, name, ...rest } = objectOf(choice)
  const found = offered.some((tool) => tool["type"] === type && tool["name"] === name)
  return [
    ...(found ? [] : [`tool_choice: ${JSON.stringify(choice)} not found in 'tools'`]),
    ...Object.keys(rest).map((key) => `tool_choice.${key}: ${unknown}`),
  ]
}

function checkFormat(body: JsonObject): readonly string[] {
  const { type, name, schema, strict } = objectOf(objectOf(body["text"])["format"])
  if (type === "json_object" && !/json/i.test(JSON.stringify(body["input"])))
    return ["text.format: 'input' must contain the word 'json' in some form"]
  if (type !== "json_schema") return []
  const path = "text.format.schema"
  return [
    ...(/^[a-zA-Z0-9_-]{1,64}$/.test(String(name)) ? [] : ["text.format.name: does not match pattern"]),
    ...checkSchema(schema, path, ["openai"]),
    ...(strict === true ? checkStrict(schema, path) : []),
  ]
}

function checkReasoning(body: JsonObject): readonly string[] {
  const { effort, summary } = objectOf(body["reasoning"])
  const unsupported = (field: string) =>
    `${field}: Unsupported parameter: '${field}' is not supported with this model.`
  if (!isReasoner(body["model"])) {
    const asked =
      body["reasoning"] !== undefined || arrayOf(body["include"]).includes("reasoning.encrypted_content")
    return asked ? [unsupported("reasoning")] : []
  }
  const sampling = ["temperature", "top_p"].filter((field) => body[field] !== undefined)
  const kept = arrayOf(body["include"]).includes("reasoning.encrypted_content")
  return [
    ...(effort === "none" ? [] : sampling.map(unsupported)),
    ...(effort === "none" && summary !== undefined
      ? ["reasoning.summary: there is none without reasoning"]
      : []),
    ...(kept || effort === "none"
      ? []
      : ["include: without storage, reasoning.encrypted_content must be asked for"]),
  ]
}
