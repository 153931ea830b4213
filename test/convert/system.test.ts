import { describe, expect, test } from "bun:test"
import { joinSystem, reminder } from "../../src/convert/dialogue/system.ts"

const billing = "x-anthropic-billing-header: cc_version=2.1.329.a1b; cc_entrypoint=cli; cch=12345;"

describe("the system prompt", () => {
  test.each<[string, readonly string[], string | undefined]>([
    ["nothing", [], undefined],
    ["empty texts", ["", " \n"], undefined],
    ["one text", ["Be brief."], "Be brief."],
    ["texts in their order", ["one", "", "two "], "one\n\ntwo "],
    ["the billing line alone", [billing], undefined],
    ["the billing line with a line end", [`${billing}\n`], undefined],
    ["the billing line behind space", [`  ${billing}`, "one"], "one"],
    ["the billing line above others", [`${billing}\none\ntwo`], "one\ntwo"],
    ["a billing line further down", [`one\n${billing}`], `one\n${billing}`],
    [
      "talk of the billing line",
      ["what is x-anthropic-billing-header: ?"],
      "what is x-anthropic-billing-header: ?",
    ],
    ["half a surrogate pair", ["a\udc00"], "a\ufffd"],
  ])("%s", (_, texts, expected) => {
    expect(joinSystem(texts)).toBe(expected)
  })

  test("a reminder wears Claude Code's own tags", () => {
    expect(reminder("tasks")).toBe("<system-reminder>\ntasks\n</system-reminder>")
  })
})
