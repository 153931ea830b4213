// What a strict server checks, as data: one `Rules` for each provider and model, made of a base and deltas.
// Written from the providers' documentation and from the refusals people have reported; it knows nothing of
// the converter, which is judged by it.
import type { JsonObject } from "../../../src/protocol/json.ts"
import type { SchemaDialect } from "./schemas.ts"
import type { Shape, Shapes } from "./shape.ts"

export type Role = "system" | "user" | "assistant" | "tool"

export interface Rules {
  /** Top-level fields that are taken. */
  readonly fields: Shapes
  /** Fields that have a refusal of their own. */
  readonly refused: Readonly<Record<string, string>>
  /** Fields that exclude each other. */
  readonly exclusive: readonly (readonly [string, string])[]
  /** The sentence on an unknown field, `{}` standing for its name. */
  readonly unknown: string
  readonly roles: readonly string[]
  /** One system message at most, before all others: chat templates raise otherwise. */
  readonly systemFirst: boolean
  /** No two user or two assistant messages in a row, and a user first. */
  readonly alternate: boolean
  readonly needsUser: boolean
  /** An assistant's message at the end: taken, or only with this mark on it. */
  readonly lastAssistant: "any" | "prefix" | "partial"
  /** Members of messages, beyond role, content, tool_calls and tool_call_id. */
  readonly members: Readonly<Record<Role, Shapes>>
  /** Part types of a content list; without any, content must be a string. */
  readonly parts: Readonly<Record<Role, Shapes>>
  /** May a content list hold nothing but text? */
  readonly textLists: boolean
  /** Not at all, as data URLs, or also by address. */
  readonly images: "no" | "data" | "any"
  /** May an assistant's content be null beside calls? */
  readonly nullContent: boolean
  /** Members of a tool call, beyond id, type and function. */
  readonly callMembers: Shapes
  readonly ids: { readonly pattern: RegExp; readonly why: string }
  readonly uniqueIds: "message" | "conversation"
  readonly names: { readonly pattern: RegExp; readonly why: string }
  readonly toolNameNeeded: boolean
  readonly maxTools: number
  /** Must tools be offered when the history holds calls? */
  readonly toolsForHistory: boolean
  /** Tool types beside `function`. */
  readonly toolKinds: Shapes
  readonly strictTools: boolean
  readonly schemas: readonly SchemaDialect[]
  readonly formatSchemas: readonly SchemaDialect[]
  readonly choices: readonly string[]
  readonly namedChoice: boolean
  readonly unforcedWhileThinking: readonly ("required" | "named")[]
  readonly unforcedWhy: string
  /** Without any switch in the request: does the model think? `always`: whatever the request says. */
  readonly thinks: "never" | "off" | "on" | "always"
  /** Assistant messages that must carry their reasoning while the model thinks. */
  readonly reasoningBack: { readonly on: "all" | "calls"; readonly why: string } | null
  /** Must the first call of each step carry a thought signature? */
  readonly signatures: boolean
  readonly streamToThink: boolean
  readonly formats: readonly string[]
  readonly formatWithTools: boolean
  /** Must the word JSON stand in the messages when `json_object` is asked for? */
  readonly jsonWord: boolean
  readonly stopMost: number
  readonly maxTokens: number
  /** More tokens than these must be streamed. */
  readonly unstreamedTokens: number
  /** What no field above can say. */
  readonly also: readonly ((body: JsonObject) => readonly string[])[]
}

type Nested = "fields" | "refused" | "members" | "parts" | "also" | "exclusive" | "toolKinds"

/** Differences from other rules; null takes a field away. Lists of `also` and `exclusive` are added to. */
export interface RulesDelta extends Partial<Omit<Rules, Nested>> {
  readonly fields?: Readonly<Record<string, Shape | null>>
  readonly refused?: Readonly<Record<string, string>>
  readonly members?: Partial<Rules["members"]>
  readonly parts?: Partial<Rules["parts"]>
  readonly toolKinds?: Shapes
  readonly also?: Rules["also"]
  readonly exclusive?: Rules["exclusive"]
}

export interface StrictRow {
  readonly id: string
  readonly models: readonly string[]
  readonly delta: RulesDelta
  /** Tested against the last path segment of the model's name in lower case; every match is applied. */
  readonly byModel?: readonly (readonly [RegExp, RulesDelta])[]
}

export const textPart: Shape = { members: { text: "text" }, needs: ["text"] }
export const imagePart: Shape = {
  members: {
    image_url: { members: { url: "text", detail: { words: ["auto", "low", "high"] } }, needs: ["url"] },
  },
  needs: ["image_url"],
}
export const filePart: Shape = {
  members: { file: { members: { filename: "text", file_data: "text" }, needs: ["filename", "file_data"] } },
  needs: ["file"],
}
export const markedTextPart: Shape = {
  members: { text: "text", cache_control: { members: { type: { words: ["ephemeral"] } }, needs: ["type"] } },
  needs: ["text"],
}
export const tokens: Shape = { from: 1, whole: true }
export const efforts = (...words: readonly string[]): Shape => ({ words })
/** `thinking: {type}` with these words, and further members. */
export const thinkingObject = (words: readonly string[], more: Shapes = {}): Shape => ({
  members: { type: { words }, ...more },
  needs: ["type"],
})

export const baseRules: Rules = {
  fields: {
    model: "text",
    messages: "anything",
    stream: "boolean",
    stream_options: { members: { include_usage: "boolean" } },
    max_tokens: tokens,
    temperature: { from: 0, to: 2 },
    top_p: { from: 0, to: 1 },
    stop: { either: ["text", { list: "text", least: 1 }] },
    tools: "anything",
    tool_choice: "anything",
    parallel_tool_calls: "boolean",
    response_format: "anything",
  },
  refused: {},
  exclusive: [["max_tokens", "max_completion_tokens"]],
  unknown: "Unknown parameter: '{}'.",
  roles: ["system", "user", "assistant", "tool"],
  systemFirst: false,
  alternate: false,
  needsUser: false,
  lastAssistant: "any",
  members: { system: {}, user: {}, assistant: {}, tool: {} },
  parts: {
    system: { text: textPart },
    user: { text: textPart, image_url: imagePart },
    assistant: { text: textPart },
    tool: {},
  },
  textLists: true,
  images: "any",
  nullContent: true,
  callMembers: {},
  ids: { pattern: /^.{1,64}$/su, why: "should be 1 to 64 characters long" },
  uniqueIds: "message",
  names: { pattern: /^[a-zA-Z0-9_-]{1,64}$/, why: "does not match pattern '^[a-zA-Z0-9_-]{1,64}$'" },
  toolNameNeeded: false,
  maxTools: Number.POSITIVE_INFINITY,
  toolsForHistory: false,
  toolKinds: {},
  strictTools: false,
  schemas: [],
  formatSchemas: [],
  choices: ["auto", "none", "required"],
  namedChoice: true,
  unforcedWhileThinking: [],
  unforcedWhy: "Thinking mode does not support this tool_choice",
  thinks: "never",
  reasoningBack: null,
  signatures: false,
  streamToThink: false,
  formats: ["text", "json_object", "json_schema"],
  formatWithTools: true,
  jsonWord: true,
  stopMost: 4,
  maxTokens: Number.POSITIVE_INFINITY,
  unstreamedTokens: Number.POSITIVE_INFINITY,
  also: [],
}

export function extend(rules: Rules, delta: RulesDelta): Rules {
  const fields = Object.entries({ ...rules.fields, ...delta.fields })
  const kept = fields.flatMap(([key, shape]) => (shape === null ? [] : [[key, shape] as const]))
  return {
    ...rules,
    ...delta,
    fields: Object.fromEntries(kept),
    refused: { ...rules.refused, ...delta.refused },
    members: { ...rules.members, ...delta.members },
    parts: { ...rules.parts, ...delta.parts },
    toolKinds: { ...rules.toolKinds, ...delta.toolKinds },
    also: [...rules.also, ...(delta.also ?? [])],
    exclusive: [...rules.exclusive, ...(delta.exclusive ?? [])],
  }
}

/** The rules of one provider for one of its models. */
export function resolveRules(row: StrictRow, model: string): Rules {
  const key = model.slice(model.lastIndexOf("/") + 1).toLowerCase()
  const matching = (row.byModel ?? []).filter(([match]) => match.test(key)).map(([, delta]) => delta)
  return [row.delta, ...matching].reduce(extend, baseRules)
}
