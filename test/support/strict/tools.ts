// Offered tools, the choice between them, and structured output.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import type { Rules } from "./rules.ts"
import { checkSchema, checkStrict } from "./schemas.ts"
import { checkMembers, checkShape } from "./shape.ts"

const functionMembers = { name: "text", description: "text", parameters: "anything" } as const

export function checkTools(body: JsonObject, rules: Rules): readonly string[] {
  const tools = body["tools"]
  if (tools === undefined) return checkWithout(body, rules)
  if (!Array.isArray(tools)) return ["tools: should be a list"]
  const names = tools.map((tool) => objectOf(objectOf(tool)["function"])["name"])
  const functions = names.filter((name) => name !== undefined)
  return [
    ...(tools.length === 0 && !rules.toolsForHistory ? ["tools: [] is too short - 'tools'"] : []),
    ...(tools.length > rules.maxTools
      ? [`tools: array too long. Expected maximum length ${rules.maxTools}, got ${tools.length}`]
      : []),
    ...(new Set(functions).size < functions.length ? ["tools: Tool names must be unique."] : []),
    ...tools.flatMap((tool, index) => checkTool(tool, `tools[${index}]`, rules)),
    ...checkChoice(body["tool_choice"], names, rules),
  ]
}

function checkWithout(body: JsonObject, rules: Rules): readonly string[] {
  const alone = ["tool_choice", "parallel_tool_calls", "parallel_function_calling", "tool_stream"]
  const calls = arrayOf(body["messages"]).some((message) => objectOf(message)["tool_calls"] !== undefined)
  return [
    ...alone.flatMap((key) =>
      body[key] === undefined ? [] : [`${key}: is only allowed when 'tools' are specified.`],
    ),
    ...(rules.toolsForHistory && calls
      ? ["tools: Requests which have tool calls in messages must define tools"]
      : []),
  ]
}

function checkTool(tool: unknown, path: string, rules: Rules): readonly string[] {
  if (!isObject(tool)) return [`${path}: should be an object`]
  if (tool["type"] !== "function")
    return checkShape(tool, { byType: { function: "anything", ...rules.toolKinds } }, path, rules.unknown)
  const given = objectOf(tool["function"])
  const at = `${path}.function`
  const members = { ...functionMembers, ...(rules.strictTools ? { strict: "boolean" as const } : {}) }
  const named = typeof given["name"] === "string" && rules.names.pattern.test(given["name"])
  const strict = rules.strictTools && given["strict"] === true
  return [
    ...checkMembers(tool, { type: "text", function: "object" }, path, rules.unknown),
    ...checkMembers(given, members, at, rules.unknown),
    ...(named ? [] : [`${at}.name: ${JSON.stringify(given["name"])} ${rules.names.why}`]),
    ...checkSchema(given["parameters"], `${at}.parameters`, rules.schemas),
    ...(strict ? checkStrict(given["parameters"], `${at}.parameters`) : []),
  ]
}

function checkChoice(choice: unknown, names: readonly unknown[], rules: Rules): readonly string[] {
  if (choice === undefined) return []
  if (!isObject(choice)) {
    return rules.choices.includes(String(choice))
      ? []
      : [`tool_choice: ${JSON.stringify(choice)} is not one of ${rules.choices.join(", ")}`]
  }
  if (!rules.namedChoice) return [`tool_choice: Invalid tool_choice type: 'object'`]
  const shape = {
    members: { type: { words: ["function"] }, function: { members: { name: "text" }, needs: ["name"] } },
    needs: ["type", "function"],
  } as const
  const name = objectOf(choice["function"])["name"]
  return [
    ...checkShape(choice, shape, "tool_choice", rules.unknown),
    ...(names.includes(name) ? [] : [`tool_choice: Tool '${String(name)}' not found in 'tools'`]),
  ]
}

export function checkFormat(body: JsonObject, rules: Rules): readonly string[] {
  const format = body["response_format"]
  if (format === undefined) return []
  const type = String(objectOf(format)["type"])
  if (!rules.formats.includes(type)) return [`response_format.type: ${type} is not one of ${rules.formats}`]
  const withTools = type !== "text" && !rules.formatWithTools && body["tools"] !== undefined
  return [
    ...(withTools ? ["response_format: may not be combined with tool calling"] : []),
    ...(type === "json_schema" ? checkJsonSchema(objectOf(format), rules) : []),
    ...(type === "json_object" && rules.jsonWord && !/json/i.test(JSON.stringify(body["messages"]))
      ? ["response_format: 'messages' must contain the word 'json' in some form"]
      : []),
  ]
}

function checkJsonSchema(format: JsonObject, rules: Rules): readonly string[] {
  const path = "response_format.json_schema"
  const given = objectOf(format["json_schema"])
  const members = { name: "text", description: "text", schema: "object", strict: "boolean" } as const
  const named = typeof given["name"] === "string" && /^[a-zA-Z0-9_-]{1,64}$/.test(given["name"])
  return [
    ...checkMembers(format, { type: "text", json_schema: "object" }, "response_format", rules.unknown),
    ...checkMembers(given, members, path, rules.unknown),
    ...(named ? [] : [`${path}.name: does not match pattern`]),
    ...checkSchema(given["schema"], `${path}.schema`, rules.formatSchemas),
    ...(given["strict"] === true ? checkStrict(given["schema"], `${path}.schema`) : []),
  ]
}
