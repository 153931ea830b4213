// A Markdown fence around an answer that was to be JSON, however the text is cut.
import { describe, expect, test } from "bun:test"
import { flushFence, initialFence, readFence } from "../../src/convert/filters/format-fence.ts"
import { property } from "../support/random.ts"

function read(pieces: readonly string[], active = true): string {
  let state = initialFence(active)
  let out = ""
  for (const piece of pieces) {
    const [next, text] = readFence(state, piece)
    state = next
    out += text
  }
  return out + flushFence(state)[1]
}

const json = '{"a": "`b`"}'

const cases: readonly (readonly [string, string])[] = [
  [`\`\`\`json\n${json}\n\`\`\``, json],
  [`\`\`\`\n${json}\n\`\`\`\n`, json],
  [`\n \`\`\`JSON\r\n${json}\r\n\`\`\`  \n`, json],
  [`\`\`\`json5 \n${json}\`\`\``, json],
  [`\`\`\`${json}\`\`\``, json],
  [`\`\`\`json ${json} \`\`\``, json],
  ["```json\n[1]\n\n[2]\n```", "[1]\n\n[2]"],
  ["```\n```", ""],
  [json, json],
  [`  ${json}\n`, `  ${json}\n`],
  // The answer was cut, or never closed.
  ["```json\n{", "{"],
  ["```json\n{}\n``", "{}\n``"],
  // Words follow: the closing fence stays.
  [`\`\`\`json\n${json}\n\`\`\`\nThat is it.`, `${json}\n\`\`\`\nThat is it.`],
  ["```json\n{}\n```\n```json\n{}\n```", "{}\n```\n```json\n{}"],
  ["```\n[\n````", "[\n````"],
  ["```json\n{}`` `", "{}`` `"],
  // No fence at the beginning, or another one.
  ["Here: ```json\n{}\n```", "Here: ```json\n{}\n```"],
  ["```python\nprint()\n```", "```python\nprint()\n```"],
  ["```js\n{}\n```", "```js\n{}\n```"],
  ["```jsonl\n{}\n```", "```jsonl\n{}\n```"],
  ["``json\n{}", "``json\n{}"],
  ["```", "```"],
  ["```json", "```json"],
  ["", ""],
  [" \n", " \n"],
]

describe("a fence around JSON", () => {
  test.each([...cases])("%j", (text, expected) => {
    expect(read([text])).toBe(expected)
    expect(read([...text])).toBe(expected)
  })

  test("nothing is changed when no format was asked for", () => {
    for (const [text] of cases) expect(read([...text], false)).toBe(text)
  })

  property("the cuts make no difference", 300, (random) => {
    const pick = () =>
      random.pick(["```", "`", "json", "\n", " ", "{", "}", '"a"', "\r\n", "[1]", "é🎯", "words"])
    const text =
      random.pick(["```json\n", "```", ""]) + Array.from({ length: random.integer(0, 14) }, pick).join("")
    const pieces: string[] = []
    for (let from = 0; from < text.length; ) {
      const to = from + random.integer(1, 4)
      pieces.push(text.slice(from, to))
      from = to
    }
    expect(read(pieces)).toBe(read([text]))
  })

  test("no more is held back than what may be a fence", () => {
    let [state] = readFence(initialFence(true), "```json\n")
    const said = ['{"a"', ": 1}", "\n``", "x", " "].map((piece) => {
      const [next, text] = readFence(state, piece)
      state = next
      return text
    })
    expect(said).toEqual(['{"a"', ": 1}", "", "\n``x", ""])
  })

  test("a model that never stops sending white space or backticks costs no more than its length", () => {
    const started = performance.now()
    for (const endless of [" ", "\n", "`"]) {
      let [state] = readFence(initialFence(true), "```json\n{}")
      let length = 0
      for (let count = 0; count < 200_000; count++) {
        const [next, text] = readFence(state, endless)
        state = next
        length += text.length
      }
      expect(length + flushFence(state)[1].length).toBeGreaterThan(199_990)
    }
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
