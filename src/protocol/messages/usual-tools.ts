// Tools as nearly every client defines them, read by hand: Claude Code sends some dozens with every request. What is
// read here is what the schemas of tools.ts would make of it.
import { isObject, type JsonObject } from "../json.ts"
import type { Screen, SearchLimits, Tool } from "./tools.ts"

const noLimits: SearchLimits = Object.freeze({})
const noScreen: Screen = Object.freeze({ width: undefined, height: undefined, zoom: false })

/** The tools of a request, or null or undefined as it says; "unusual": at least one is for the schema to read. */
export function readTools(given: unknown): Tool[] | null | undefined | "unusual" {
  if (given === undefined || given === null) return given
  if (!Array.isArray(given)) return "unusual"
  const tools: Tool[] = []
  for (const raw of given) {
    const tool = isObject(raw) ? readTool(raw, tools.length) : undefined
    if (tool === undefined) return "unusual"
    tools.push(tool)
  }
  return tools
}

// What only Anthropic's own tools say, and OpenAI's.
const others = ["function", "max_uses", "allowed_domains", "blocked_domains", "user_location"]
const ofScreens = ["display_width_px", "display_height_px", "enable_zoom"]

/** A client's own tool. */
function readTool(raw: JsonObject, index: number): Tool | undefined {
  const { type, name, description, input_schema, strict, defer_loading } = raw
  if (type !== undefined && type !== null && type !== "custom") return undefined
  if (typeof name !== "string" || name === "") return undefined
  if (description !== undefined && description !== null && typeof description !== "string") return undefined
  if (!isObject(input_schema) || Object.hasOwn(input_schema, "__proto__")) return undefined
  if (says(raw, others) || says(raw, ofScreens)) return undefined
  return {
    type: "custom",
    name,
    description: description ?? undefined,
    input_schema,
    strict: strict === true,
    defer_loading: defer_loading === true,
    search: noLimits,
    screen: noScreen,
    path: `tools.${index}`,
  }
}

/** Does it have one of these fields? */
export function says(raw: JsonObject, fields: readonly string[]): boolean {
  for (const field of fields) if (raw[field] !== undefined) return true
  return false
}
