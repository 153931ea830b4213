// The tools that a toolset of Anthropic's stands for. Their schemas live on its servers, their calls are the client's:
// other models can make them once they are told the parameters (Anthropic SDK 1.14, types of the members' inputs).
import { type JsonObject, objectOf } from "../../protocol/json.ts"
import type { Tool } from "../../protocol/messages/tools.ts"
import { memberName, toolsetOf } from "../../protocol/messages/toolsets.ts"
import { noTools } from "../dialogue/tool-changes.ts"
import { objectSchema } from "./typed-tools.ts"

const text = { type: "string" } as const
const integer = { type: "integer" } as const
const seconds = { type: "number", description: "Seconds" } as const
const point = {
  type: "array",
  items: integer,
  minItems: 2,
  maxItems: 2,
  description: "[x, y] in pixels",
} as const
const region = {
  type: "array",
  items: integer,
  minItems: 4,
  maxItems: 4,
  description: "[x0, y0, x1, y1]",
} as const
const direction = { type: "string", enum: ["up", "down", "left", "right"] } as const
const keys = { type: "string", description: 'A key or several, such as "Return" or "ctrl+s"' } as const
const held = { type: "string", description: "Keys to hold down meanwhile" } as const
const texts = { type: "array", items: text } as const

interface Member {
  readonly description: string
  readonly parameters: JsonObject
  /** Offered only where the request says so (Anthropic SDK 1.14, lib/internal/toolsets/registry). */
  readonly asked?: true
}

type Members = Readonly<Record<string, Member>>

function member(description: string, properties: JsonObject = {}, required: readonly string[] = []): Member {
  return { description, parameters: objectSchema(properties, required) }
}

const atPoint = (does: string): Member =>
  member(`${does} at a point of the screen, or where the pointer is.`, { coordinate: point, text: held })

const computer: Members = {
  key: member("Press a key, or several at once.", { text: keys, repeat: integer }, ["text"]),
  hold_key: member("Hold a key down for some time.", { text: keys, duration: seconds }, ["text", "duration"]),
  type: member("Type a text on the keyboard.", { text }, ["text"]),
  cursor_position: member("Tell where the pointer is."),
  mouse_move: member("Move the pointer without a click.", { coordinate: point }, ["coordinate"]),
  left_mouse_down: member("Press the left mouse button where the pointer is, and hold it."),
  left_mouse_up: member("Release the left mouse button."),
  left_click: atPoint("Click the left mouse button"),
  left_click_drag: member(
    "Drag with the left mouse button from one point to another.",
    { start_coordinate: point, coordinate: point, text: held },
    ["start_coordinate", "coordinate"],
  ),
  right_click: atPoint("Click the right mouse button"),
  middle_click: atPoint("Click the middle mouse button"),
  double_click: atPoint("Double-click the left mouse button"),
  triple_click: atPoint("Triple-click the left mouse button"),
  scroll: member(
    "Scroll at a point of the screen, or where the pointer is.",
    { scroll_direction: direction, scroll_amount: integer, coordinate: point, text: held },
    ["scroll_direction", "scroll_amount"],
  ),
  wait: member("Wait for some time.", { duration: seconds }, ["duration"]),
  screenshot: member("Take a screenshot."),
  zoom: member("Take an enlarged screenshot of a part of the screen.", { region }, ["region"]),
}

const coordinateTarget = objectSchema(
  { type: { type: "string", enum: ["coordinate"] }, x: integer, y: integer },
  ["type", "x", "y"],
)
const refTarget = objectSchema({ type: { type: "string", enum: ["ref"] }, ref: text }, ["type", "ref"])
const anyTarget = { anyOf: [coordinateTarget, refTarget] } as const
const tab = { type: "string", description: "The tab; the active one when left out" } as const

/** Every action on a page may name the tab. */
function onPage(description: string, properties: JsonObject = {}, required: readonly string[] = []): Member {
  return member(description, { ...properties, tab_id: tab }, required)
}

const clicked = (does: string): Member =>
  onPage(
    `${does} at a point of the page, or on an element by its reference.`,
    {
      target: anyTarget,
      modifiers: held,
    },
    ["target"],
  )

const atCoordinate = (description: string): Member =>
  onPage(description, { target: coordinateTarget }, ["target"])

const onRequest = (given: Member): Member => ({ ...given, asked: true })

const browser: Members = {
  navigate: onPage('Go to a URL, or "back", "forward" or "reload".', { url: text }, ["url"]),
  screenshot: onPage("Take a screenshot of the page as it is shown."),
  zoom: onPage("Take an enlarged screenshot of a part of the page.", { region }, ["region"]),
  left_click: clicked("Click"),
  right_click: clicked("Click the right mouse button"),
  middle_click: clicked("Click the middle mouse button"),
  double_click: clicked("Double-click"),
  triple_click: clicked("Triple-click"),
  hover: onPage("Move the pointer to a point or an element without a click.", { target: anyTarget }, [
    "target",
  ]),
  left_click_drag: onPage(
    "Drag with the left mouse button from one point to another.",
    { from: coordinateTarget, target: coordinateTarget },
    ["from", "target"],
  ),
  left_mouse_down: atCoordinate("Press the left mouse button at a point, and hold it."),
  left_mouse_up: atCoordinate("Release the left mouse button at a point."),
  mouse_move: atCoordinate("Move the pointer to a point without a click."),
  scroll: onPage(
    "Scroll at a point of the page.",
    { target: coordinateTarget, scroll_direction: direction, scroll_amount: integer },
    ["target", "scroll_direction"],
  ),
  scroll_to: onPage("Scroll until an element is seen.", { target: refTarget }, ["target"]),
  type: onPage("Type a text where the focus is.", { text }, ["text"]),
  key: onPage(
    "Press keys; a space stands between those pressed one after the other.",
    {
      text: keys,
      repeat: integer,
    },
    ["text"],
  ),
  hold_key: onPage("Hold a key down for some time.", { text: keys, duration: seconds }, ["text", "duration"]),
  form_input: onPage(
    "Set the value of a form's element: true or false for a checkbox.",
    { target: refTarget, value: { type: ["string", "number", "boolean"] } },
    ["target", "value"],
  ),
  read_page: onPage("Read the page as a tree of elements, with the references that targets are named by.", {
    depth: integer,
    filter: { type: "string", enum: ["all", "interactive"] },
    ref: { type: "string", description: "The element to read from" },
  }),
  find: onPage("Find elements by a description, with their references.", { query: text }, ["query"]),
  get_page_text: onPage("Read the text of the page."),
  wait: onPage("Wait for some time.", { duration: seconds }, ["duration"]),
  file_upload: onRequest(
    onPage("Put files into a file input.", { target: refTarget, paths: texts, document_ids: texts }, [
      "target",
    ]),
  ),
  read_console: onRequest(onPage("Read what the console said since it was last read.")),
  read_network: onRequest(onPage("Read which requests were made since they were last read.")),
  javascript_exec: onRequest(
    onPage("Run JavaScript in the page; the value of its last expression comes back.", { text }, ["text"]),
  ),
  new_tab: member("Open a new tab."),
  list_tabs: member("List the open tabs."),
  switch_tab: member("Make another tab the active one.", { tab_id: text }, ["tab_id"]),
  close_tab: member("Close a tab.", { tab_id: text }, ["tab_id"]),
}

const toolsets = { computer, browser } as const

/** The tools with the members of every toolset in its place; the very same list where there is none. */
export function expandToolsets(tools: readonly Tool[]): readonly Tool[] {
  if (!tools.some(({ type }) => toolsetOf(type) !== undefined)) return tools
  return tools.flatMap(membersOf)
}

interface Offering {
  readonly tools?: readonly Tool[] | null | undefined
}

/** The request with all the tools that are offered with it, for those who count. */
export function withMembers<T extends Offering>(given: T): T {
  return withTools(given, expandToolsets(given.tools ?? noTools))
}

/** The request with these tools; the very same one where they are its own, or none are in the place of none. */
export function withTools<T extends Offering>(request: T, tools: readonly Tool[]): T {
  const own = request.tools ?? noTools
  return tools === own || (tools.length === 0 && own.length === 0) ? request : { ...request, tools }
}

function membersOf(tool: Tool): readonly Tool[] {
  const family = toolsetOf(tool.type)
  if (family === undefined) return [tool]
  return Object.entries(toolsets[family]).flatMap(([name, { description, parameters, asked }]): Tool[] => {
    const { enabled } = objectOf(tool.configs?.[name])
    if (enabled === false || (asked === true && enabled !== true)) return []
    return [
      { ...tool, type: "custom", name: memberName(family, name), description, input_schema: parameters },
    ]
  })
}
