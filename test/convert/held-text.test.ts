// Text that is held back, because a call may begin with it: what else comes does not overtake it, and nobody takes the
// reply for one that has not begun.
import { describe, expect, test } from "bun:test"
import { deltaChunk, finishChunk, reasoningChunk, textChunk } from "../support/chunks.ts"
import { foldOf } from "../support/fixtures.ts"
import { deltasOf, responsesOptions, responsesProfile, streamed } from "../support/responses/play.ts"
import { added, at, done, output } from "../support/responses/single.ts"

const stop = finishChunk("stop")
const call = '{"name": "Read", "arguments": {"file_path": "/a"}}'
const tagged = `<tool_call>\n${call}\n</tool_call>`
const fenced = `\`\`\`json\n${call}\n\`\`\``

function said(chunks: readonly unknown[]): readonly unknown[] {
  return (foldOf(chunks).reply?.content ?? []).map((block) => {
    if (block.type === "thinking") return `thinking: ${block.thinking}`
    if (block.type === "tool_use") return [block.name, block.input]
    return block.type === "text" ? block.text : block.type
  })
}

describe("it comes before what follows it", () => {
  test.each<[string, readonly unknown[], readonly unknown[]]>([
    ["thoughts", [reasoningChunk("Hm."), textChunk(" So.")], ["See [1]", "thinking: Hm.", " So."]],
    ["a refusal", [deltaChunk({ refusal: "No." })], ["See [1]No."]],
    ["a picture", [deltaChunk({ images: [{}] })], ["See [1][image omitted]"]],
    ["sound", [deltaChunk({ audio: { transcript: "No." } })], ["See [1]No."]],
  ])("%s", (_, chunks, expected) => {
    expect(said([textChunk("See [1]"), ...chunks, stop])).toEqual(expected)
  })

  test("a refusal, in a Responses stream", () => {
    const events = [
      added(0, "message"),
      at(0, "output_text.delta", { content_index: 0, delta: "See [1]" }),
      at(0, "refusal.delta", { content_index: 1, delta: "No." }),
    ]
    const options = responsesOptions({ profile: { ...responsesProfile, textToolCalls: true } })
    const content = [output("See [1]"), { type: "refusal", refusal: "No." }]
    const deltas = deltasOf(streamed([...events, done(0, "message", { content })]), options)
    expect(deltas.flatMap((delta) => (delta.kind === "text" ? [delta.text] : []))).toEqual([
      "See [1",
      "]",
      "No.",
    ])
  })

  test("an empty refusal beside each piece is none", () => {
    const chunks = [...tagged].map((content) => deltaChunk({ content, refusal: "" }))
    expect(said([...chunks, stop])).toEqual([["Read", { file_path: "/a" }]])
  })
})

describe("a fence behind other text is not the whole reply", () => {
  test.each<[string, unknown]>([
    ["with thoughts between", reasoningChunk("Hm.")],
    ["with a picture between", deltaChunk({ images: [{}] })],
  ])("%s", (_, chunk) => {
    expect(said([textChunk("So it looks:"), chunk, textChunk(fenced), stop]).filter(Array.isArray)).toEqual(
      [],
    )
  })
})

describe("the last chunk holds the whole message once more", () => {
  test.each([
    [tagged, [["Read", { file_path: "/a" }]]],
    [fenced, [["Read", { file_path: "/a" }]]],
    ["```json\n", ["```json\n"]],
    ["`", ["`"]],
    ["[", ["["]],
  ])("%j", (content, expected) => {
    const choices = [{ index: 0, delta: {}, finish_reason: "stop", message: { role: "assistant", content } }]
    expect(said([textChunk(content), { ...stop, choices }])).toEqual(expected)
  })
})
