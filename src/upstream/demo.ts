// The built-in upstream: no model, but a real Chat Completions endpoint in every other respect. Asked to
// reason it reasons, told to use an offered tool it calls it, and everything else gets the same greeting.
import { shorten } from "../protocol/errors/error-facts.ts"
import { arrayOf, isObject, type JsonObject, lookUp, objectOf, textOf } from "../protocol/json.ts"

/** A chunk of the demo's reply, without the envelope. */
interface Step {
  readonly delta: JsonObject
  readonly finish?: "stop" | "tool_calls"
}

const greeting =
  "Hello from the upstream built into claude-proxy. No model is at work here: this text is fixed, but it came to you over HTTP as an OpenAI-compatible stream and was converted on the way like any other. Name one of the offered tools in your message, and it will be called."

const thoughts = "The user tries the proxy without a model. A short, honest answer is what helps now."

/** What the demo says to a request body, as steps to be sent one after another. */
export function demoSteps(body: JsonObject): readonly Step[] {
  const thinks = body["reasoning_effort"] !== undefined && body["reasoning_effort"] !== "none"
  const reasoning: readonly Step[] = thinks
    ? words(thoughts).map((text) => ({ delta: { reasoning_content: text } }))
    : []
  const last = lastWords(arrayOf(body["messages"]).filter(isObject))
  if (last.role === "tool") return [...reasoning, ...say(`The tool answered: ${shorten(last.text, 300)}`)]
  const wanted = findTool(last.text, arrayOf(body["tools"]).filter(isObject))
  if (wanted === undefined) return [...reasoning, ...say(greeting)]
  return [...reasoning, ...say(`Calling ${wanted.name}.`, false), ...call(wanted)]
}

/** What was said last; the reminders that clients add to a conversation are nobody's words. */
function lastWords(messages: readonly JsonObject[]): { readonly role: unknown; readonly text: string } {
  for (const message of messages.toReversed()) {
    const text = contentText(message)
      .replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "")
      .trim()
    if (text !== "") return { role: message["role"], text }
  }
  return { role: "user", text: "" }
}

function say(text: string, ends = true): readonly Step[] {
  const steps: readonly Step[] = words(text).map((content) => ({ delta: { content } }))
  return ends ? [...steps, { delta: {}, finish: "stop" }] : steps
}

interface WantedTool {
  readonly name: string
  readonly args: string
}

function call({ name, args }: WantedTool): readonly Step[] {
  const id = `call_demo_${args.length}_${name}`.replace(/[^\w-]/g, "_").slice(0, 40)
  const start = { index: 0, id, type: "function", function: { name, arguments: "" } }
  const pieces = args.match(/.{1,12}/gs) ?? []
  return [
    { delta: { tool_calls: [start] } },
    ...pieces.map((piece) => ({ delta: { tool_calls: [{ index: 0, function: { arguments: piece } }] } })),
    { delta: {}, finish: "tool_calls" as const },
  ]
}

/** The offered tool that the text asks for: named together with a word like "use", or just "use the tool". */
function findTool(text: string, tools: readonly JsonObject[]): WantedTool | undefined {
  if (!/\b(use|using|call|run|invoke|try|with)\b/i.test(text)) return undefined
  const said = new Set(text.toLowerCase().match(/[\w-]+/g) ?? [])
  const offered = tools.map((tool) => objectOf(tool["function"]))
  const named = offered.find((tool) => said.has(String(tool["name"]).toLowerCase()))
  const found = named ?? (said.has("tool") ? offered[0] : undefined)
  if (found === undefined) return undefined
  return { name: String(found["name"]), args: JSON.stringify(sample("", found["parameters"])) }
}

// Values that make sense for parameters with these names, so that a called tool does something harmless.
const samples: Readonly<Record<string, string>> = {
  command: "echo hello from the demo",
  file_path: "/tmp/claude-proxy-demo.txt",
  path: "/tmp/claude-proxy-demo.txt",
  content: "Hello from the demo.\n",
  pattern: "*.md",
  description: "Try the demo",
  city: "Paris",
  location: "Paris",
  url: "http://localhost/",
}

/** A value that fits a JSON schema, required properties only. */
function sample(name: string, schema: unknown): unknown {
  if (!isObject(schema)) return "demo"
  const options = arrayOf(schema["enum"])
  if (options.length > 0) return options[0]
  if (schema["default"] !== undefined) return schema["default"]
  switch (schema["type"]) {
    case "object": {
      const required = new Set(arrayOf(schema["required"]))
      const entries = Object.entries(objectOf(schema["properties"])).filter(([key]) => required.has(key))
      return Object.fromEntries(entries.map(([key, inner]) => [key, sample(key, inner)]))
    }
    case "array":
      return [sample(name, schema["items"])]
    case "integer":
    case "number":
      return 1
    case "boolean":
      return false
    default:
      return lookUp(samples, name) ?? "demo"
  }
}

/** Words with the space that follows them, as models stream them. */
const words = (text: string) => text.match(/\S+\s*/g) ?? []

function contentText(message: JsonObject): string {
  const content = message["content"]
  if (typeof content === "string") return content
  const parts = arrayOf(content).filter(isObject)
  return parts.map((part) => textOf(part["text"]) ?? "").join("\n")
}

/** Rough counts, four characters a token: the demo has no tokenizer, and needs none. */
export function demoUsage(body: JsonObject, steps: readonly Step[]): JsonObject {
  const prompt = Math.ceil(JSON.stringify(body["messages"] ?? []).length / 4)
  const completion = steps.length
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}

/** The whole reply in one message, for requests that do not stream. */
export function demoMessage(steps: readonly Step[]): { message: JsonObject; finish_reason: string } {
  const join = (field: string) => steps.map((step) => textOf(step.delta[field]) ?? "").join("")
  const calls = steps.flatMap((step) => arrayOf(step.delta["tool_calls"]).filter(isObject))
  const [start] = calls
  const args = calls.map((piece) => textOf(objectOf(piece["function"])["arguments"]) ?? "").join("")
  const tool_calls =
    start === undefined ? [] : [{ ...start, function: { ...objectOf(start["function"]), arguments: args } }]
  const content = join("content")
  const reasoning = join("reasoning_content")
  return {
    message: {
      role: "assistant",
      content: content === "" ? null : content,
      ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
      ...(tool_calls.length === 0 ? {} : { tool_calls }),
    },
    finish_reason: steps.at(-1)?.finish ?? "stop",
  }
}
