import { describe, expect, test } from "bun:test"
import { assistantBlockText, convertParts, joinParts } from "../../src/convert/dialogue/content.ts"
import { mapToolName } from "../../src/convert/dialogue/names.ts"
import { parseContent } from "../../src/protocol/messages/blocks.ts"
import type { ContentBlock } from "../../src/protocol/messages/content-block.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import { generic, png, pngPart, routeTo, text } from "./request-support.ts"

const files: ProfileDelta = { pdf: "file" }
const fetched: ProfileDelta = { pdf: "file", documentUrls: true }
const webPdf = { type: "url", url: "https://x.test/a.pdf" }
const blind: ProfileDelta = { vision: false }
const data: ProfileDelta = { imageUrls: false }
const pdf = (more: object = {}) => ({
  type: "document",
  source: { type: "base64", media_type: "application/pdf", data: "JVBERi0x" },
  ...more,
})
const paddedPdf = { type: "base64", media_type: "application/pdf", data: "JVBERg==" }
const image = (source: object) => ({ type: "image", source })
const document = (source: object, more: object = {}) => ({ type: "document", source, ...more })
const part = (said: string) => ({ type: "text", text: said })
const webImage = image({ type: "url", url: "https://x.test/a.png" })
const found = {
  type: "search_result",
  source: "https://x.test",
  title: 'A "b"',
  content: [text("one"), text("two")],
}

function read(block: unknown): readonly ContentBlock[] {
  const parsed = parseContent([block])
  expect(parsed.issues).toEqual([])
  return parsed.blocks
}

test.each([
  ["openrouter", true],
  ["mistral", true],
  ["openai", false],
])("%s fetches documents in Chat Completions: %p", (provider, expected) => {
  const { value } = convertParts(read(document(webPdf)), routeTo([provider, "gpt-4o"]).profile, "p")
  expect(value.some(({ type }) => type !== "text")).toBe(expected)
})

describe("blocks of a user", () => {
  type Row = [string, unknown, ProfileDelta, readonly unknown[], readonly string[]]
  test.each<Row>([
    ["text", { ...text("a "), citations: [], cache_control: {} }, {}, [part("a ")], []],
    ["empty text", text(""), {}, [], []],
    ["blank text", text(" \n\t"), {}, [], []],
    ["an image", png, {}, [pngPart], []],
    ["an image with transformations", { ...png, transformations: [{}] }, {}, [pngPart], []],
    [
      "an image by URL",
      webImage,
      {},
      [{ type: "image_url", image_url: { url: "https://x.test/a.png" } }],
      [],
    ],
    [
      ...(["an image by URL, to be fetched by nobody", webImage, data] as const),
      [part("[image https://x.test/a.png omitted: this provider takes images only as data]")],
      ["changed p.0"],
    ],
    [
      "an image for the blind",
      png,
      blind,
      [part("[image omitted: this model cannot see images]")],
      ["changed p.0"],
    ],
    [
      ...(["an image from a source of tomorrow", image({ type: "telepathy" }), {}] as const),
      [part("[image omitted: it comes from a kind of source unknown here]")],
      ["changed p.0"],
    ],
    [
      ...(["a PDF", pdf(), files] as const),
      [
        {
          type: "file",
          file: { filename: "document.pdf", file_data: "data:application/pdf;base64,JVBERi0x" },
        },
      ],
      [],
    ],
    [
      ...(["a PDF with a title", pdf({ title: "a.pdf", context: null }), files] as const),
      [{ type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0x" } }],
      [],
    ],
    ...(
      [
        ["Q3 report", "Q3 report.pdf"],
        ["v1.2", "v1.2.pdf"],
        ["B.PDF", "B.PDF"],
        [" ", "document.pdf"],
      ] as const
    ).map(
      ([title, filename]): Row => [
        ...([`a PDF called ${title}`, pdf({ title }), files] as const),
        [{ type: "file", file: { filename, file_data: "data:application/pdf;base64,JVBERi0x" } }],
        [],
      ],
    ),
    [
      ...(["a PDF of which something is said", pdf({ title: "a.pdf", context: "Old." }), files] as const),
      [
        part('<document title="a.pdf">\nOld.\n</document>'),
        { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0x" } },
      ],
      [],
    ],
    [
      ...(["one that cannot be sent, of which something is said", pdf({ context: "Old." }), {}] as const),
      [
        part("<document>\nOld.\n</document>"),
        part("[PDF document (6 bytes) omitted: this provider takes no documents]"),
      ],
      ["changed p.0"],
    ],
    [
      ...(["a padded PDF that cannot be sent", pdf({ source: paddedPdf }), {}] as const),
      [part("[PDF document (4 bytes) omitted: this provider takes no documents]")],
      ["changed p.0"],
    ],
    [
      ...(["a PDF by URL", document(webPdf), files] as const),
      [part("[document https://x.test/a.pdf omitted: this provider fetches no documents]")],
      ["changed p.0"],
    ],
    [
      ...(["a PDF by URL, fetched there", document(webPdf, { title: "T" }), fetched] as const),
      [{ type: "file", file: { filename: "T.pdf", file_data: "https://x.test/a.pdf" } }],
      [],
    ],
    [
      ...(["a PDF by URL, in Mistral's form", document(webPdf), { pdf: "document_url" }] as const),
      [{ type: "document_url", document_url: "https://x.test/a.pdf" }],
      [],
    ],
    [
      ...(["an uploaded document", document({ type: "file", file_id: "f_2" }), files] as const),
      [part("[document f_2 omitted: files of the Files API are not available through this proxy]")],
      ["changed p.0"],
    ],
    [
      "a document of text",
      document({ type: "text", media_type: "text/plain", data: "one" }, { title: 'a "b"', context: "c" }),
      {},
      [part('<document title="a &quot;b&quot;">\nc\none\n</document>')],
      [],
    ],
    [
      ...(["a document of blocks", document({ type: "content", content: [text("one"), png] }), {}] as const),
      [part("<document>"), part("one"), pngPart, part("</document>")],
      [],
    ],
    [
      ...(["a document of a string", document({ type: "content", content: "one" }), {}] as const),
      [part("<document>"), part("one"), part("</document>")],
      [],
    ],
    [
      ...(["a search result", found, {}] as const),
      [part('<search_result title="A &quot;b&quot;" source="https://x.test">\none\ntwo\n</search_result>')],
      [],
    ],
    [
      "a tool reference",
      { type: "tool_reference", tool_name: "T" },
      {},
      [part("Tool T is now available.")],
      [],
    ],
    [
      "a reference to a tool that has another name upstream",
      { type: "tool_reference", tool_name: "a.b" },
      {},
      [part(`Tool ${mapToolName("a.b", routeTo(generic).profile)} is now available.`)],
      [],
    ],
    [
      ...(["an uploaded file", { type: "container_upload", file_id: "f_3" }, {}] as const),
      [part("[file f_3 omitted: files of the Files API are not available through this proxy]")],
      ["changed p.0"],
    ],
    ["a summary", { type: "compaction", content: "so far" }, {}, [part("<summary>\nso far\n</summary>")], []],
    ["reasoning", { type: "thinking", thinking: "x", signature: "" }, {}, [], ["dropped p.0"]],
    ["a call", { type: "tool_use", id: "a", name: "b", input: {} }, {}, [], ["dropped p.0"]],
    ["a block of tomorrow", { type: "hologram" }, {}, [], ["dropped p.0"]],
  ])("%s", (_, block, delta, parts, notes) => {
    const converted = convertParts(read(block), routeTo(generic, delta).profile, "p")
    expect<readonly unknown[]>(converted.value).toEqual([...parts])
    expect(converted.notes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([...notes])
  })

  test("notes inside a document have the path of the block inside", () => {
    const block = document({ type: "content", content: [text("one"), png] })
    const { notes } = convertParts(read(block), routeTo(generic, blind).profile, "messages.0.content")
    expect(notes.map(({ path }) => path)).toEqual(["messages.0.content.0.source.content.1"])
  })

  test("parts of text alone are one string", () => {
    expect(
      joinParts([
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ]),
    ).toBe("a\n\nb")
    const image_url = { url: "u" }
    expect(
      joinParts([
        { type: "text", text: "a" },
        { type: "image_url", image_url },
      ]),
    ).toEqual([
      { type: "text", text: "a" },
      { type: "image_url", image_url },
    ])
  })
})

describe("blocks of an assistant, as text", () => {
  const searched = {
    type: "web_search_tool_result",
    content: [
      { type: "web_search_result", url: "https://x.test", title: "X", encrypted_content: "secret" },
      { type: "web_search_result", url: "https://y.test" },
    ],
  }
  const failed = { type: "web_search_tool_result", content: { error_code: "unavailable" } }
  const page = "a page ".repeat(1000)
  const fetched = (source: object) => ({
    type: "web_fetch_tool_result",
    content: { type: "web_fetch_result", url: "https://x.test", content: document(source, { title: "A" }) },
  })
  test.each<[unknown, string | undefined]>([
    [text("as it is "), "as it is "],
    [
      { type: "server_tool_use", name: "web_search", input: { query: "q" } },
      '\n[web_search: {"query":"q"}]\n',
    ],
    [searched, "\n- X — https://x.test\n- https://y.test — https://y.test\n"],
    [failed, "\n[web_search_tool_result failed: unavailable]\n"],
    [fetched({ type: "text", media_type: "text/plain", data: page }), `\n- A — https://x.test\n${page}\n`],
    [
      fetched({ type: "base64", media_type: "application/pdf", data: "JVBERi0x" }),
      "\n- A — https://x.test\n[document omitted]\n",
    ],
    [
      { type: "code_execution_tool_result", content: { stdout: page, encrypted_stdout: "x" } },
      `\n[code_execution_tool_result] {"stdout":"${page}"}\n`,
    ],
    [{ type: "mcp_tool_result", content: [text("1")], is_error: false }, "\n1\n"],
    [{ type: "mcp_tool_result", content: "boom", is_error: true }, "\n[mcp_tool_result failed] boom\n"],
    [{ type: "mcp_tool_result" }, '\n[mcp_tool_result] ""\n'],
    [{ type: "advisor_tool_result", content: { type: "advisor_result", text: "do" } }, "\ndo\n"],
    [{ type: "compaction", content: "so far" }, "\nso far\n"],
    [{ type: "document", source: { type: "text", data: "one" } }, "\none\n"],
    [{ type: "thinking", thinking: "x", signature: "" }, undefined],
    [{ type: "redacted_thinking", data: "x" }, undefined],
    [{ type: "fallback", from: "a", to: "b" }, undefined],
    [png, undefined],
  ])("%j", (block, expected) => {
    expect(read(block).map(assistantBlockText)).toEqual([expected])
  })
})
