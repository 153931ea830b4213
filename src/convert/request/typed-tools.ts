// Anthropic's own tool types whose schema lives on its servers but which the client executes: other models can
// call them once they are told the parameters (Anthropic API reference, tool types; 2026-11).
import type { JsonObject } from "../../protocol/json.ts"

const text = { type: "string" } as const
const integer = { type: "integer" } as const
const point = { type: "array", items: integer, minItems: 2, maxItems: 2 } as const

const object = (properties: JsonObject, required: readonly string[]): JsonObject => ({
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
  insert_text: text,
  view_range: point,
} as const

interface TypedTool {
  /** The tool's type without its date. */
  readonly prefix: string
  readonly description: string
  readonly parameters: JsonObject
}

const typedTools: readonly TypedTool[] = [
  {
    prefix: "bash_",
    description: "Run a command in a persistent bash session; `restart` begins a new session.",
    parameters: object({ command: text, restart: { type: "boolean" } }, []),
  },
  {
    prefix: "text_editor_",
    description: "View, create and edit text files.",
    parameters: object(
      {
        command: { type: "string", enum: ["view", "create", "str_replace", "insert", "undo_edit"] },
        ...edit,
      },
      ["command", "path"],
    ),
  },
  {
    prefix: "memory_",
    description: "Read and write files in the memory directory.",
    parameters: object(
      {
        command: { type: "string", enum: ["view", "create", "str_replace", "insert", "delete", "rename"] },
        ...edit,
        old_path: text,
        new_path: text,
      },
      ["command"],
    ),
  },
  {
    prefix: "computer_2",
    description: "Use the mouse, keyboard and screen of the computer.",
    parameters: object(
      {
        action: text,
        coordinate: point,
        start_coordinate: point,
        text,
        key: text,
        scroll_direction: { type: "string", enum: ["up", "down", "left", "right"] },
        scroll_amount: integer,
        duration: { type: "number" },
        region: { type: "array", items: integer },
      },
      ["action"],
    ),
  },
]

/** The tool this type stands for, or undefined for server tools and types we do not know. */
export function findTypedTool(type: string): TypedTool | undefined {
  return typedTools.find((tool) => type.startsWith(tool.prefix))
}
