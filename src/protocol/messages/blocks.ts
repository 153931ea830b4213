// Content blocks of a request. Known types are checked and trimmed to what we read; a type we have never
// heard of is kept whole, because Anthropic adds block types more often than anyone updates a proxy.
import { z } from "zod"
import { isObject, type JsonObject, objectOf } from "../json.ts"
import type { ContentBlock } from "./content-block.ts"
import { calledName } from "./toolsets.ts"
import { readUsual } from "./usual-blocks.ts"

interface ContentIssue {
  readonly path: readonly (string | number)[]
  readonly message: string
}

interface ParsedContent {
  readonly blocks: readonly ContentBlock[]
  readonly issues: readonly ContentIssue[]
}

/** What zod expected, as Anthropic's API names it. */
const nouns: Readonly<Record<string, string>> = {
  string: "string",
  number: "number",
  boolean: "boolean",
  array: "list",
  object: "dictionary",
  record: "dictionary",
}

/** One problem in Anthropic's words: `Field required`, `Input should be a valid number`. */
export function issueMessage(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_type" || !issue.message.startsWith("Invalid input")) return issue.message
  if (issue.message.endsWith("received undefined")) return "Field required"
  return `Input should be a valid ${nouns[issue.expected] ?? issue.expected}`
}

/** The error of a union told apart by `type`, which says what `type` may be. */
export function tagError(words: string): (issue: z.core.$ZodRawIssue) => string | undefined {
  return (issue) => {
    if (issue.code !== "invalid_union") return undefined
    return objectOf(issue.input)["type"] === undefined ? "Field required" : `Input should be ${words}`
  }
}

const optionalText = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined)

const mediaSources = [
  z.object({ type: z.literal("base64"), media_type: z.string(), data: z.string() }),
  z.object({ type: z.literal("url"), url: z.string() }),
  z.object({ type: z.literal("file"), file_id: z.string() }),
] as const

const Media = z.discriminatedUnion("type", mediaSources, { error: tagError("'base64', 'url' or 'file'") })

const Nested = z.unknown().transform((value, context): readonly ContentBlock[] => {
  const parsed = parseContent(value ?? [])
  for (const issue of parsed.issues) {
    context.issues.push({ code: "custom", message: issue.message, path: [...issue.path], input: value })
  }
  return parsed.blocks
})

const DocumentSource = z.discriminatedUnion(
  "type",
  [
    ...mediaSources,
    z.object({ type: z.literal("text"), data: z.string() }),
    z.object({ type: z.literal("content"), content: Nested }),
  ],
  { error: tagError("'base64', 'url', 'file', 'text' or 'content'") },
)

/** The schemas of the blocks that are known, by their type. */
export const blockSchemas: Readonly<Record<string, z.ZodType<ContentBlock>>> = {
  text: z.object({ type: z.literal("text"), text: z.string() }),
  image: z.object({ type: z.literal("image"), source: Media }),
  document: z.object({
    type: z.literal("document"),
    source: DocumentSource,
    title: optionalText,
    context: optionalText,
  }),
  search_result: z.object({
    type: z.literal("search_result"),
    source: z.string(),
    title: z.string(),
    content: Nested,
  }),
  // Old clients and other proxies leave the signature out: text without a signature is still text.
  thinking: z.object({
    type: z.literal("thinking"),
    thinking: z.string(),
    signature: z
      .string()
      .nullish()
      .transform((signature) => signature ?? ""),
  }),
  redacted_thinking: z.object({ type: z.literal("redacted_thinking"), data: z.string() }),
  tool_use: z
    .object({
      type: z.literal("tool_use"),
      id: z.string(),
      name: z.string(),
      input: z
        .unknown()
        .optional()
        .transform((input) => input ?? {}),
      toolset_name: z.string().nullish().catch(null),
    })
    .transform(({ toolset_name, ...use }) => ({ ...use, name: calledName(use.name, toolset_name) })),
  tool_result: z.object({
    type: z.literal("tool_result"),
    tool_use_id: z.string(),
    content: Nested.optional().transform((blocks) => blocks ?? []),
    is_error: z
      .boolean()
      .nullish()
      .transform((flag) => flag === true),
  }),
  tool_reference: z.object({ type: z.literal("tool_reference"), tool_name: z.string() }),
}

const noIssues: readonly ContentIssue[] = []

/** A string or an array of blocks in; blocks and every problem found, with paths relative to `value`, out. */
export function parseContent(value: unknown): ParsedContent {
  if (typeof value === "string") return { blocks: [{ type: "text", text: value }], issues: noIssues }
  if (!Array.isArray(value)) {
    const message = value === undefined ? "Field required" : "Input should be a valid string or list"
    return { blocks: [], issues: [{ path: [], message }] }
  }
  const blocks: ContentBlock[] = []
  let issues: ContentIssue[] | undefined
  for (let index = 0; index < value.length; index++) {
    const item: unknown = value[index]
    const usual = readUsual(item)
    if (usual !== undefined) {
      blocks.push(usual)
      continue
    }
    const parsed = parseBlock(item)
    if (parsed.block !== undefined) blocks.push(parsed.block)
    for (const issue of parsed.issues) {
      issues ??= []
      issues.push({ path: [index, ...issue.path], message: issue.message })
    }
  }
  return { blocks, issues: issues ?? noIssues }
}

function parseBlock(item: unknown): { block?: ContentBlock; issues: readonly ContentIssue[] } {
  if (typeof item === "string") return { block: { type: "text", text: item }, issues: noIssues }
  if (!isObject(item)) return { issues: [{ path: [], message: "Input should be a valid dictionary" }] }
  const type = item["type"]
  if (typeof type !== "string") {
    const message = type === undefined ? "Field required" : "Input should be a valid string"
    return { issues: [{ path: ["type"], message }] }
  }
  const known = Object.hasOwn(blockSchemas, type) && !hasUnknownSource(type, item)
  const schema = known ? blockSchemas[type] : undefined
  if (schema === undefined) return { block: { type: "other", original: item }, issues: noIssues }
  const parsed = schema.safeParse(item)
  if (parsed.success) return { block: parsed.data, issues: noIssues }
  return {
    issues: parsed.error.issues.map((issue) => ({
      path: issue.path.map((part) => (typeof part === "symbol" ? String(part) : part)),
      message: issueMessage(issue),
    })),
  }
}

const sourceTypes: Readonly<Record<string, readonly string[]>> = {
  image: ["base64", "url", "file"],
  document: ["base64", "url", "file", "text", "content"],
}

/** A kind of source invented after this was written: the block is kept as one we do not know. */
function hasUnknownSource(type: string, block: JsonObject): boolean {
  const source = objectOf(block["source"])["type"]
  const words = sourceTypes[type]
  return words !== undefined && typeof source === "string" && !words.includes(source)
}
