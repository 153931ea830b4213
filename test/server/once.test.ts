import { expect, test } from "bun:test"
import { onceFor } from "../../src/server/common/once.ts"

test("what is made for an object is made once, also where nothing is made", () => {
  const asked: string[] = []
  const nameOf = onceFor(({ name }: { readonly name: string }) => {
    asked.push(name)
    return name === "" ? undefined : name
  })
  const [first, second, nameless] = [{ name: "a" }, { name: "a" }, { name: "" }]
  expect([nameOf(first), nameOf(first), nameOf(second), nameOf(nameless), nameOf(nameless)]).toEqual([
    ...["a", "a", "a", undefined, undefined],
  ])
  expect(asked).toEqual(["a", "a", ""])
})
