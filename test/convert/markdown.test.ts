// Text in Markdown, followed all at once.
import { expect } from "bun:test"
import { follow, followAll, lineStart, type MarkdownWalk } from "../../src/convert/text-calls/markdown.ts"
import { property, type Random } from "../support/random.ts"

const signs = ["`", "``", "```", "````", "~", "~~~", "\n", "\n\n", ">", "> ", " ", "\t", "a", "word", "—", ""]

function textOf(random: Random): string {
  return Array.from({ length: random.integer(0, 6) }, () => random.pick(signs)).join("")
}

property("all of a text is its characters, one after the other", 2_000, (random) => {
  const each: MarkdownWalk = { ...lineStart }
  const all: MarkdownWalk = { ...lineStart }
  for (let piece = random.integer(1, 8); piece > 0; piece--) {
    const text = textOf(random)
    for (let at = 0; at < text.length; at++) follow(each, text.charCodeAt(at))
    followAll(all, text)
    expect(all).toEqual(each)
  }
})
