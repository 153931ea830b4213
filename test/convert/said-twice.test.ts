// A call that stands in the text and in the list of calls runs once.
import { expect, test } from "bun:test"
import { flushTextCalls } from "../../src/convert/text-calls/flush.ts"
import { initialTextCalls, readTextCalls } from "../../src/convert/text-calls/text-calls.ts"

const bare = '{"name": "ls", "arguments": {"path": "."}}'
const tagged = `<tool_call>${bare}</tool_call>`

function kindsOf(text: string, behind: "call" | "more" | "nothing"): readonly string[] {
  const [state, first] = readTextCalls(initialTextCalls(new Set(["ls"]), new Map()), text)
  return [...first, ...flushTextCalls(state, behind)[1]].map(({ kind }) => kind)
}

test.each([
  [bare, "call", ["text"]],
  [`${bare}\n`, "call", ["text"]],
  [`${bare}\n${bare}`, "call", ["text"]],
  [bare, "more", ["call"]],
  [bare, "nothing", ["call"]],
  [tagged, "call", ["call"]],
  [`${bare}\n${tagged}`, "nothing", ["text", "call"]],
  [
    `${bare}\n\n<tool_call>\n{"name":"ls","arguments":{"path":"."}}\n</tool_call>`,
    "nothing",
    ["text", "call"],
  ],
  [`${bare}\n<tool_call>{"name": "ls", "arguments": {"path": "/"}}</tool_call>`, "nothing", ["call", "call"]],
  [`${tagged}\n${tagged}`, "nothing", ["call", "call"]],
] as const)("%j with %s behind it", (text, behind, expected) => {
  expect(kindsOf(text, behind)).toEqual([...expected])
})
