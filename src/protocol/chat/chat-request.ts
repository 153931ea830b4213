// An incoming Chat Completions request, as OpenAI's clients write it: only what we read is checked, everything
// else passes through untouched, so that what is dropped later can be named.
import { z } from "zod"
import { isObject, lookUp } from "../json.ts"

/** OpenAI's words for what is wrong with a parameter. */
type Code = "missing_required_parameter" | "invalid_type" | "invalid_value" | "unsupported_value"

const roles = ["system", "developer", "user", "assistant", "tool", "function"] as const

/** Roles that may say nothing: a turn of calls alone, or a result without output. */
const mayBeEmpty: ReadonlySet<string> = new Set(["assistant", "tool", "function"])

interface Problem {
  readonly path: readonly (string | number)[]
  readonly code: Code
  readonly message: string
}

const missing = (...path: readonly (string | number)[]): Problem => ({
  path,
  code: "missing_required_parameter",
  message: "it is required",
})

const wrongType = (expected: string, ...path: readonly (string | number)[]): Problem => ({
  path,
  code: "invalid_type",
  message: `it must be ${expected}`,
})

/** The member a kind of content part cannot do without. */
const partMembers: Readonly<Record<string, string>> = {
  text: "text",
  refusal: "refusal",
  image_url: "image_url",
  input_audio: "input_audio",
  file: "file",
}

function partProblem(part: unknown, place: number): Problem | undefined {
  if (typeof part === "string") return undefined
  if (!isObject(part)) return wrongType("an object", "content", place)
  const type = part["type"]
  if (type === undefined) return missing("content", place, "type")
  if (typeof type !== "string") return wrongType("a string", "content", place, "type")
  const member = lookUp(partMembers, type)
  if (member === undefined) return undefined
  return memberProblem(part[member], member, place)
}

function memberProblem(value: unknown, member: string, place: number): Problem | undefined {
  const path = ["content", place, member] as const
  if (value === undefined || value === null) return missing(...path)
  if (member === "text" || member === "refusal")
    return typeof value === "string" ? undefined : wrongType("a string", ...path)
  // Some clients write the URL of an image without the object around it.
  if (member === "image_url" && typeof value === "string") return undefined
  if (!isObject(value)) return wrongType("an object", ...path)
  if (member !== "image_url" || typeof value["url"] === "string") return undefined
  return missing(...path, "url")
}

function contentProblem(content: unknown, role: string): Problem | undefined {
  if (typeof content === "string") return undefined
  if (content === undefined || content === null) {
    if (mayBeEmpty.has(role)) return undefined
    return content === null ? wrongType("a string or a list of parts", "content") : missing("content")
  }
  if (!Array.isArray(content)) return wrongType("a string or a list of parts", "content")
  for (const [place, part] of content.entries()) {
    const problem = partProblem(part, place)
    if (problem !== undefined) return problem
  }
  return undefined
}

const FunctionCall = z.looseObject({ name: z.string(), arguments: z.unknown().optional() })

const ToolCall = z
  .looseObject({
    id: z.string(),
    function: FunctionCall.nullish(),
    custom: z.looseObject({ name: z.string(), input: z.unknown().optional() }).nullish(),
  })
  .superRefine((call, context) => {
    if (!call.function && !call.custom) raise(missing("function"), context)
  })

export type ChatCallIn = z.output<typeof ToolCall>

const Message = z
  .looseObject({
    role: z.enum(roles),
    content: z.unknown().optional(),
    tool_calls: z.array(ToolCall).nullish(),
    function_call: FunctionCall.nullish(),
    tool_call_id: z.string().nullish(),
    name: z.string().nullish(),
    refusal: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    reasoning: z.string().nullish().catch(null),
  })
  .superRefine((message, context) => {
    const problem = contentProblem(message.content, message.role)
    if (problem !== undefined) raise(problem, context)
    if (message.role === "tool" && !message.tool_call_id) raise(missing("tool_call_id"), context)
    if (message.role === "function" && !message.name) raise(missing("name"), context)
  })

export type ChatMessageIn = z.output<typeof Message>

const FunctionDefinition = z.looseObject({
  name: z.string(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
})

export type ChatFunctionIn = z.output<typeof FunctionDefinition>

const Tool = z
  .looseObject({ type: z.string(), function: FunctionDefinition.nullish() })
  .superRefine((tool, context) => {
    if (tool.type === "function" && !tool.function) raise(missing("function"), context)
  })

/** A word of a list, or an object: what is inside it is read when it is converted. */
function choice(...words: readonly string[]) {
  const expected = `one of ${words.join(", ")}, or an object`
  const check = z.unknown().superRefine((value, context) => {
    const known = typeof value === "string" ? words.includes(value) : isObject(value)
    if (known || value === undefined || value === null) return
    const code = typeof value === "string" ? "invalid_value" : "invalid_type"
    raise({ path: [], code, message: `it must be ${expected}` }, context)
  })
  return check.optional()
}

const Format = z
  .looseObject({
    type: z.string(),
    json_schema: z
      .looseObject({
        name: z.string().nullish(),
        description: z.string().nullish(),
        schema: z.record(z.string(), z.unknown()).nullish(),
      })
      .nullish(),
  })
  .superRefine((format, context) => {
    if (format.type === "json_schema" && !format.json_schema) raise(missing("json_schema"), context)
  })

const oneChoice = "one choice for each request is all this proxy gives; use 1"
const onlyOne: Problem = { path: [], code: "unsupported_value", message: oneChoice }

/** The body of POST /v1/chat/completions. `model` may be absent: the proxy has a default. */
export const ChatRequestBody = z.looseObject({
  model: z.string().nullish(),
  messages: z.array(Message).min(1, { error: () => "it must hold at least one message" }),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.number().nullish(),
  max_completion_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  n: z
    .number()
    .nullish()
    .superRefine((value, context) => {
      if (typeof value === "number" && value !== 1) raise(onlyOne, context)
    }),
  stop: z
    .union([z.string(), z.array(z.string())], { error: () => "it must be a string or a list of strings" })
    .nullish(),
  tools: z.array(Tool).nullish(),
  functions: z.array(FunctionDefinition).nullish(),
  tool_choice: choice("auto", "none", "required"),
  function_call: choice("auto", "none"),
  parallel_tool_calls: z.boolean().nullish(),
  reasoning_effort: z.string().nullish(),
  response_format: Format.nullish(),
  user: z.string().nullish(),
})

export type ChatRequestBody = z.output<typeof ChatRequestBody>

function raise({ path, code, message }: Problem, context: z.core.$RefinementCtx): void {
  context.addIssue({ code: "custom", message, path: [...path], params: { code } })
}

interface ChatIssue {
  readonly message: string
  /** `messages[0].content` */
  readonly param: string
  readonly code: Code
}

const nouns: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
}

/** The first problem of a request that did not parse; there is always one. */
export function firstChatIssue(error: z.ZodError): ChatIssue {
  const [issue] = error.issues
  const param = renderParam(issue?.path ?? [])
  const { code, message } = problemOf(issue)
  return { code, param, message: param === "" ? message : `Invalid '${param}': ${message}.` }
}

function problemOf(issue: z.core.$ZodIssue | undefined): Pick<ChatIssue, "code" | "message"> {
  if (issue === undefined) return { code: "invalid_value", message: "invalid request" }
  if (issue.code === "custom") return { code: customCode(issue.params), message: issue.message }
  if (issue.code === "invalid_type") {
    // zod tells a missing value from a wrong one only in its message.
    if (issue.message.endsWith("received undefined")) return missing()
    return wrongType(nouns[issue.expected] ?? `of type ${issue.expected}`)
  }
  if (issue.code === "invalid_value")
    return { code: "invalid_value", message: `it must be one of ${issue.values.map(String).join(", ")}` }
  return { code: "invalid_value", message: issue.message }
}

const codes = ["missing_required_parameter", "invalid_type", "unsupported_value"] as const

function customCode(params: unknown): Code {
  const given = isObject(params) ? params["code"] : undefined
  return codes.find((code) => code === given) ?? "invalid_value"
}

/** `messages[0].content[1].text`: OpenAI writes places in lists with brackets. */
function renderParam(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "")
}
