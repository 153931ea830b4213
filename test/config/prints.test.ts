import { describe, expect, test } from "bun:test"
import { absent, madeUnreadable, printOf, unreadable } from "../../src/config/sources/prints.ts"

describe("files that cannot be read any more", () => {
  const text = printOf("PORT=1")
  const gone = unreadable("EACCES")

  test.each([
    ["with something in it", text, gone, ["/a/.env cannot be read (EACCES)."]],
    ["blank", printOf(""), gone, ["/a/.env cannot be read (EACCES)."]],
    ["no text any more", text, printOf("PO\0RT=1"), ["/a/.env cannot be read (it holds no text)."]],
    ["not there before", absent, gone, []],
    ["not looked for before", undefined, gone, []],
    ["never readable", unreadable("EISDIR"), gone, []],
    ["taken away", text, absent, []],
    ["changed", text, printOf("PORT=2"), []],
  ])("%s", (_, before, after, expected) => {
    const first = new Map(before === undefined ? [] : [["/a/.env", before]])
    expect(madeUnreadable(first, new Map([["/a/.env", after]]))).toEqual(expected)
  })
})
