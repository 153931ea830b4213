// Tools that come and go in the middle of a conversation, and the summary of a compacted one.
import { describe, expect, test } from "bun:test"
import { ask, convert, generic, messagesOf, noteLines, user } from "./request-support.ts"

const tool = (name: string) => ({ name, input_schema: { type: "object", properties: {} } })
const system = (...content: readonly unknown[]) => ({ role: "system", content })
const add = (name: string) => ({
  type: "tool_addition",
  tool: { type: "tool_definition", definition: tool(name) },
})
const refer = (type: string, name: string) => ({ type, tool: { type: "tool_reference", name } })

const cases: readonly (readonly [string, readonly unknown[], readonly string[]])[] = [
  ["nothing changes", [], ["Read", "Bash"]],
  ["a definition is added at the end", [add("New")], ["Read", "Bash", "New"]],
  ["a definition of a known name keeps its place", [add("Read")], ["Read", "Bash"]],
  ["a removal takes its tool away", [refer("tool_removal", "Read")], ["Bash"]],
  ["what was added can be removed", [add("New"), refer("tool_removal", "New")], ["Read", "Bash"]],
  [
    "what was removed can come back",
    [refer("tool_removal", "Read"), refer("tool_addition", "Read")],
    ["Bash", "Read"],
  ],
  ["a reference to nothing changes nothing", [refer("tool_addition", "Gone")], ["Read", "Bash"]],
]

describe("case 91", () => {
  test.each(cases)("%s", (_name, blocks, expected) => {
    const request = ask([user("hi"), system(...blocks)], { tools: [tool("Read"), tool("Bash")] })
    const conversion = convert(request)
    expect((conversion.body.tools ?? []).map((sent) => sent.function?.name)).toEqual([...expected])
    expect([...conversion.offered]).toEqual([...expected])
    expect(conversion.body.messages).toEqual([{ role: "user", content: "hi" }])
  })

  test("what cannot be added leaves a note", () => {
    const request = ask([user("hi"), system(refer("tool_addition", "Gone"))])
    expect(noteLines(convert(request))).toEqual(["dropped messages.1.content.0"])
  })
})

describe("a compaction block", () => {
  const compaction = (content: unknown) => ({ role: "assistant", content: [{ type: "compaction", content }] })

  test("is handed over by the user, as a summary", () => {
    expect(messagesOf([compaction("so far"), user("go on")], generic)).toEqual([
      { role: "user", content: "<summary>\nso far\n</summary>\n\ngo on" },
    ])
  })

  test("without content is nothing", () => {
    expect(messagesOf([compaction(null), user("go on")], generic)).toEqual([
      { role: "user", content: "go on" },
    ])
  })
})
