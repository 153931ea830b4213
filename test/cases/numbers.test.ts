// Every case from 1 to 97 is tested in this folder, once, under its number.
import { expect, test } from "bun:test"
import { readdir } from "node:fs/promises"

const last = 97

/** The numbers that begin the names of tests in a file, tables of tests included. */
function numbersIn(source: string): readonly number[] {
  return [...source.matchAll(/(?:\btest|\))\(\s*["'`](\d+): \S/g)].map((match) => Number(match[1]))
}

test("each number has one test, and no other number has any", async () => {
  const files = (await readdir(import.meta.dir)).filter(
    (name) => name.endsWith(".test.ts") && name !== "numbers.test.ts",
  )
  const texts = await Promise.all(files.map((name) => Bun.file(`${import.meta.dir}/${name}`).text()))
  const found = texts.flatMap(numbersIn).toSorted((one, other) => one - other)
  expect(found).toEqual(Array.from({ length: last }, (_, at) => at + 1))
})

test("names are read off single tests and tables of them", () => {
  const sources = ['test("1: a", f)', "test.each([\n  [1],\n])(\n  `2: %p`,\n  f)", 'said("3: a")', "4: a"]
  expect(sources.map(numbersIn)).toEqual([[1], [2], [], []])
})
