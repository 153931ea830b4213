// One message by itself: its members, its content, its calls.
import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../../src/protocol/json.ts"
import type { Role, Rules } from "./rules.ts"
import { checkMembers, checkShape, type Shapes } from "./shape.ts"

export function roleOf(message: JsonObject): Role | undefined {
  const role = message["role"] === "developer" ? "system" : message["role"]
  return role === "system" || role === "user" || role === "assistant" || role === "tool" ? role : undefined
}

export function checkMessage(item: unknown, index: number, rules: Rules): readonly string[] {
  const path = `messages[${index}]`
  if (!isObject(item)) return [`${path}: should be an object`]
  const role = roleOf(item)
  if (role === undefined || !rules.roles.includes(String(item["role"]))) {
    return [`${path}.role: unknown variant ${JSON.stringify(item["role"])}, expected one of ${rules.roles}`]
  }
  const members: Shapes = {
    ...{ role: "text" as const, content: "anything" as const },
    ...(role === "assistant" ? { tool_calls: "anything" as const } : {}),
    ...(role === "tool" ? { tool_call_id: "text" as const } : {}),
    ...rules.members[role],
  }
  return [
    ...checkMembers(item, members, path, rules.unknown),
    ...checkContent(item, role, path, rules),
    ...(role === "assistant" ? checkCalls(item["tool_calls"], path, rules) : []),
    ...(role === "tool" ? checkToolMessage(item, path, rules) : []),
  ]
}

function checkToolMessage(message: JsonObject, path: string, rules: Rules): readonly string[] {
  const id = message["tool_call_id"]
  const named = !rules.toolNameNeeded || typeof message["name"] === "string"
  return [
    ...(typeof id === "string"
      ? checkId(id, `${path}.tool_call_id`, rules)
      : [`${path}.tool_call_id: missing`]),
    ...(named ? [] : [`${path}.name: Field required`]),
  ]
}

function checkContent(message: JsonObject, role: Role, path: string, rules: Rules): readonly string[] {
  const content = message["content"]
  const hasCalls = message["tool_calls"] !== undefined
  if (content === null || content === undefined) {
    if (role === "assistant" && hasCalls) return rules.nullContent ? [] : [`${path}.content: null is refused`]
    return [`${path}.content: content or tool_calls must be set`]
  }
  if (typeof content === "string") {
    const empty = role === "tool" ? content === "" : content.trim() === ""
    return empty && !hasCalls ? [`${path}.content: must not be empty`] : []
  }
  if (!Array.isArray(content)) return [`${path}.content: should be a string or a list`]
  const types = rules.parts[role]
  if (Object.keys(types).length === 0) return [`${path}.content: invalid type: sequence, expected a string`]
  const texts = content.every((part) => objectOf(part)["type"] === "text")
  return [
    ...(content.length === 0 ? [`${path}.content: must not be empty`] : []),
    ...(texts && !rules.textLists ? [`${path}.content: a list of texts should be one string`] : []),
    ...content.flatMap((part, index) => checkPart(part, `${path}.content[${index}]`, role, rules)),
  ]
}

function checkPart(part: unknown, path: string, role: Role, rules: Rules): readonly string[] {
  const { image_url: image, ...others } = rules.parts[role]
  const types = image !== undefined && rules.images !== "no" ? rules.parts[role] : others
  const reasons = checkShape(part, { byType: types }, path, rules.unknown)
  if (reasons.length > 0) return reasons
  const given = objectOf(part)
  if (given["type"] === "text" && String(given["text"]).trim() === "") {
    return [`${path}.text: text content blocks must contain non-whitespace text`]
  }
  return given["type"] === "image_url" ? checkImage(objectOf(given["image_url"])["url"], path, rules) : []
}

function checkImage(url: unknown, path: string, rules: Rules): readonly string[] {
  const address = String(url)
  const data = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$/.test(address)
  if (data || (rules.images === "any" && /^https?:\/\/./.test(address))) return []
  return [`${path}.image_url.url: unsupported image url: ${address.slice(0, 40)}`]
}

function checkCalls(calls: unknown, path: string, rules: Rules): readonly string[] {
  if (calls === undefined) return []
  if (!Array.isArray(calls) || calls.length === 0) {
    return [`${path}.tool_calls: [] is too short. Expected an array with minimum length 1`]
  }
  return calls.flatMap((call, index) => checkCall(call, `${path}.tool_calls[${index}]`, rules))
}

function checkCall(item: unknown, path: string, rules: Rules): readonly string[] {
  const shape = {
    members: {
      id: "text",
      type: { words: ["function"] },
      function: { members: { name: "text", arguments: "text" }, needs: ["name", "arguments"] },
      ...rules.callMembers,
    },
    needs: ["id", "type", "function"],
  } as const
  const reasons = checkShape(item, shape, path, rules.unknown)
  if (reasons.length > 0) return reasons
  const call = objectOf(item)
  const { name, arguments: args } = objectOf(call["function"])
  const named = rules.names.pattern.test(String(name))
  const parsed = parseJson(String(args))
  return [
    ...checkId(String(call["id"]), `${path}.id`, rules),
    ...(named ? [] : [`${path}.function.name: ${JSON.stringify(name)} ${rules.names.why}`]),
    ...(parsed.ok && isObject(parsed.value) ? [] : [`${path}.function.arguments: should be a JSON object`]),
    ...(parsed.ok ? checkWellFormed(parsed.value, `${path}.function.arguments`) : []),
  ]
}

function checkId(id: string, path: string, rules: Rules): readonly string[] {
  return rules.ids.pattern.test(id) ? [] : [`${path}: ${JSON.stringify(id)} ${rules.ids.why}`]
}

/** Half a surrogate pair anywhere, keys included, is what JSON parsers of other languages choke on. */
export function checkWellFormed(value: unknown, path: string): readonly string[] {
  if (typeof value === "string") return value.isWellFormed() ? [] : [`${path}: lone surrogate`]
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => checkWellFormed(item, `${path}[${index}]`))
  }
  return Object.entries(objectOf(value)).flatMap(([key, item]) => [
    ...(key.isWellFormed() ? [] : [`${path}: lone surrogate in a key`]),
    ...checkWellFormed(item, path === "" ? key : `${path}.${key}`),
  ])
}

export function callsOf(message: JsonObject): readonly JsonObject[] {
  return arrayOf(message["tool_calls"]).map(objectOf)
}
