// Anthropic's own tool types whose schema lives on its servers but which the client executes: other models can
// call them once they are told the parameters (Anthropic API reference, tool types; 2026-11).
import type { JsonObject } from "../../protocol/json.ts"
import type { Tool } from "../../protocol/messages/tools.ts"

const text = { type: "string" } as const
const integer = { type: "integer" } as const
const point = { type: "array", items: integer, minItems: 2, maxItems: 2 } as const
const oneOf = (words: readonly string[]) => ({ type: "string", enum: words }) as const

/** A tool's parameters. */
export const objectSchema = (properties: JsonObject, required: readonly string[]): JsonObject => ({
  type: "object",
  properties,
  required,
})

const edit = {
  path: text,
  file_text: text,
  old_str: text,
  new_str: text,
  insert_line: integer,
  view_range: point,
} as const

const insertText = { insert_text: { type: "string", description: "What insert puts in" } } as const

interface TypedTool {
  readonly description: string
  readonly parameters: JsonObject
}

interface Family {
  /** The tool's type without its date. */
  readonly prefix: string
  /** What it is in the version of a date, written as digits. */
  readonly describe: (date: string, tool: Pick<Tool, "screen">) => TypedTool
}

const families: readonly Family[] = [
  {
    prefix: "bash_",
    describe: () => ({
      description: "Run a command in a persistent bash session; `restart` begins a new session.",
      parameters: objectSchema({ command: text, restart: { type: "boolean" } }, []),
    }),
  },
  { prefix: "text_editor_", describe: describeEditor },
  {
    prefix: "memory_",
    describe: () => ({
      description:
        "Keep notes in files that outlast this conversation: all paths begin with /memories. View /memories before anything else.",
      parameters: objectSchema(
        {
          command: oneOf(["view", "create", "str_replace", "insert", "delete", "rename"]),
          ...edit,
          ...insertText,
          old_path: text,
          new_path: text,
        },
        ["command"],
      ),
    }),
  },
  { prefix: "computer_", describe: describeComputer },
]

/**
 * Versions since the one for Claude 4 cannot undo; until the one after it, insert took its text as `new_str` and knew
 * no `insert_text` (Anthropic's quickstarts, computer-use-demo, tools/edit.py).
 */
function describeEditor(date: string): TypedTool {
  const undo = date < "20250429" ? ["undo_edit"] : []
  const command = oneOf(["view", "create", "str_replace", "insert", ...undo])
  const inserted = date < "20250728" ? {} : insertText
  const how = date < "20250728" ? "; insert puts in new_str" : ""
  return {
    description: `View, create and edit text files, by their absolute paths${how}.`,
    parameters: objectSchema({ command, ...edit, ...inserted }, ["command", "path"]),
  }
}

const firstActions = [
  ...["key", "type", "mouse_move", "left_click", "left_click_drag", "right_click", "middle_click"],
  ...["double_click", "screenshot", "cursor_position"],
]
const laterActions = ["left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait", "triple_click"]

/** Each version can do what the one before it could; a look at a part of the screen must be allowed besides. */
function describeComputer(date: string, { screen }: Pick<Tool, "screen">): TypedTool {
  const { width, height } = screen
  const size = width === undefined || height === undefined ? "" : ` The screen has ${width}×${height} pixels.`
  const isLater = date >= "20250124"
  const zooms = date >= "20251124" && screen.zoom
  const actions = [...firstActions, ...(isLater ? laterActions : []), ...(zooms ? ["zoom"] : [])]
  const later = {
    start_coordinate: point,
    key: text,
    scroll_direction: oneOf(["up", "down", "left", "right"]),
    scroll_amount: integer,
    duration: { type: "number" },
  }
  const region = { type: "array", items: integer, minItems: 4, maxItems: 4 }
  return {
    description: `Use the mouse, keyboard and screen of the computer.${size}`,
    parameters: objectSchema(
      {
        action: oneOf(actions),
        coordinate: point,
        ...(isLater ? { ...later, text } : { text }),
        ...(zooms ? { region } : {}),
      },
      ["action"],
    ),
  }
}

/** What the tool's type stands for, or undefined for server tools and types we do not know. */
export function findTypedTool(tool: Pick<Tool, "type" | "screen">): TypedTool | undefined {
  for (const { prefix, describe } of families) {
    const date = tool.type.startsWith(prefix) ? tool.type.slice(prefix.length) : ""
    if (/^\d{8}$/.test(date)) return describe(date, tool)
  }
  return undefined
}
