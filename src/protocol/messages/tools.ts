// Tools of a Messages request and the choice among them, as this proxy understands them after parsing.
import { z } from "zod"
import type { JsonObject } from "../json.ts"
import { tagError } from "./blocks.ts"

export interface Tool {
  /** Anthropic's type word; "custom" for the client's own tools. */
  readonly type: string
  readonly name: string
  readonly description: string | undefined
  readonly input_schema: JsonObject | undefined
  readonly strict: boolean
  readonly defer_loading: boolean
  /** How a web search is to be limited; Anthropic's names. */
  readonly search: SearchLimits
  /** The screen of a computer tool. */
  readonly screen: Screen
  /** What a toolset says of its members. */
  readonly configs?: JsonObject
  /** JSON path of its definition in the client's request, for notes. */
  readonly path: string
}

export interface Screen {
  readonly width: number | undefined
  readonly height: number | undefined
  readonly zoom: boolean
}

export interface SearchLimits {
  readonly max_uses?: unknown
  readonly allowed_domains?: readonly string[]
  readonly blocked_domains?: readonly string[]
  readonly user_location?: JsonObject
}

const Pixels = z.number().nullish().catch(null)

const Domains = z.array(z.string()).nullish().catch(null)

const RawTool = z.looseObject({
  type: z.string().nullish(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish().catch(null),
  defer_loading: z.boolean().nullish().catch(null),
  max_uses: z.unknown().optional(),
  allowed_domains: Domains,
  blocked_domains: Domains,
  user_location: z.record(z.string(), z.unknown()).nullish().catch(null),
  display_width_px: Pixels,
  display_height_px: Pixels,
  enable_zoom: z.boolean().nullish().catch(null),
  configs: z.record(z.string(), z.unknown()).nullish().catch(null),
  function: z
    .looseObject({
      name: z.string(),
      description: z.string().nullish(),
      parameters: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
})

/** OpenAI's shape (`type: "function"`) is accepted too: people move configurations over. */
export const Tool = RawTool.transform((raw, context): Tool => {
  const custom =
    raw.type === null || raw.type === undefined || raw.type === "custom" || raw.type === "function"
  const name = raw.function?.name ?? raw.name ?? (custom ? undefined : raw.type)
  if (!name) context.issues.push({ code: "custom", message: "Field required", path: ["name"], input: raw })
  const schema = raw.function?.parameters ?? raw.input_schema ?? undefined
  if (custom && schema === undefined && !raw.function)
    context.issues.push({ code: "custom", message: "Field required", path: ["input_schema"], input: raw })
  return {
    type: custom ? "custom" : (raw.type ?? "custom"),
    name: name ?? "",
    description: raw.function?.description ?? raw.description ?? undefined,
    input_schema: schema,
    strict: raw.strict === true,
    defer_loading: raw.defer_loading === true,
    search: searchLimits(raw),
    screen: {
      width: raw.display_width_px ?? undefined,
      height: raw.display_height_px ?? undefined,
      zoom: raw.enable_zoom === true,
    },
    ...(custom || !raw.configs ? {} : { configs: raw.configs }),
    path: "tools",
  }
})

/** What comes after may take tools out or put others in: notes name the place in the client's own list. */
export const Tools = z
  .array(Tool)
  .transform((tools) => tools.map((tool, index): Tool => ({ ...tool, path: `tools.${index}` })))

function searchLimits(raw: z.output<typeof RawTool>): SearchLimits {
  const { max_uses, allowed_domains, blocked_domains, user_location } = raw
  return {
    ...(max_uses === undefined || max_uses === null ? {} : { max_uses }),
    ...(allowed_domains?.length ? { allowed_domains } : {}),
    ...(blocked_domains?.length ? { blocked_domains } : {}),
    ...(user_location ? { user_location } : {}),
  }
}

export const ToolChoice = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("auto"), disable_parallel_tool_use: z.boolean().nullish() }),
    z.object({ type: z.literal("any"), disable_parallel_tool_use: z.boolean().nullish() }),
    z.object({
      type: z.literal("tool"),
      name: z.string(),
      disable_parallel_tool_use: z.boolean().nullish(),
    }),
    z.object({ type: z.literal("none") }),
  ],
  { error: tagError("'auto', 'any', 'tool' or 'none'") },
)

export type ToolChoice = z.output<typeof ToolChoice>
