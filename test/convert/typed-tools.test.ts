import { expect, test } from "bun:test"
import { findTypedTool } from "../../src/convert/request/typed-tools.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { ask, convert, text, user } from "./request-support.ts"

const screen = { width: undefined, height: undefined, zoom: false }
const words = (type: string, name: string, zoom = false) => {
  const typed = findTypedTool({ type, screen: { ...screen, zoom } })
  return objectOf(objectOf(typed?.parameters["properties"])[name])["enum"]
}

const edits = ["view", "create", "str_replace", "insert"]
test.each([
  ["text_editor_20241022", [...edits, "undo_edit"]],
  ["text_editor_20250124", [...edits, "undo_edit"]],
  ["text_editor_20250429", edits],
  ["text_editor_20250728", edits],
  ["text_editor_20300101", edits],
])("commands of %s", (type, expected) => {
  expect(words(type, "command")).toEqual(expected)
})

test.each([
  ["text_editor_20241022", false],
  ["text_editor_20250124", false],
  ["text_editor_20250429", false],
  ["text_editor_20250728", true],
  ["memory_20250818", true],
])("%s takes what is to be inserted as insert_text: %p", (type, expected) => {
  const properties = objectOf(findTypedTool({ type, screen })?.parameters["properties"])
  expect(Object.hasOwn(properties, "insert_text")).toBe(expected)
  expect(Object.hasOwn(properties, "new_str")).toBe(true)
})

test("a model is told where memories are, and that paths are absolute", () => {
  expect(findTypedTool({ type: "memory_20250818", screen })?.description).toContain("/memories")
  expect(findTypedTool({ type: "text_editor_20250728", screen })?.description).toContain("absolute paths")
})

test.each<[string, boolean, number, readonly string[], readonly string[]]>([
  ["computer_20241022", false, 10, ["screenshot", "cursor_position"], ["scroll", "wait", "zoom"]],
  ["computer_20250124", true, 16, ["scroll", "triple_click", "hold_key", "wait"], ["zoom"]],
  ["computer_20251124", false, 16, ["left_mouse_down"], ["zoom"]],
  ["computer_20251124", true, 17, ["zoom"], []],
])("actions of %s, zoom %p", (type, zoom, count, has, lacks) => {
  const actions = words(type, "action", zoom)
  expect(actions).toHaveLength(count)
  expect(actions).toEqual(expect.arrayContaining([...has]))
  for (const action of lacks) expect(actions).not.toContain(action)
})

test.each([
  ["computer_toolset_20260801"],
  ["browser_toolset_20260801"],
  ["web_search_20250305"],
  ["bash_"],
  ["code_execution_20250825"],
])("%s is nothing a client runs by a schema known here", (type) => {
  expect(findTypedTool({ type, screen })).toBeUndefined()
})

test.each([
  [{ display_width_px: 1024, display_height_px: 768 }, "1024×768"],
  [{ display_width_px: 1024 }, undefined],
  [{ display_width_px: "wide", display_height_px: 768 }, undefined],
])("the screen %j is part of the description", (size, expected) => {
  const tools = [{ type: "computer_20250124", name: "computer", ...size }]
  const [sent] = convert(ask([user(text("hi"))], { tools })).body.tools ?? []
  const description = sent?.type === "function" ? (sent.function.description ?? "") : ""
  expect(/(\d+×\d+) pixels/.exec(description)?.[1]).toBe(expected)
})
