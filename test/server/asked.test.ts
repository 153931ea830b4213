// What clients call their models and sessions is kept for long, and must not be long itself.
import { afterAll, expect, test } from "bun:test"
import { createCallers } from "../../src/server/entrance/callers.ts"
import { askFor } from "../../src/server/request/asked.ts"
import { configFrom, removeFolders } from "../config/support.ts"

afterAll(removeFolders)

test("a model's name has a limit", () => {
  const config = configFrom({ OPENAI_API_KEY: "sk-upstream-0123456789", BIG_MODEL: "gpt-4o" })
  const resolved = (length: number) => askFor({ model: "m".repeat(length) }, config).resolved
  expect(resolved(2_048)).toMatchObject({ ok: true, route: { model: "m".repeat(2_048) } })
  expect(resolved(2_049)).toMatchObject({
    ok: false,
    fault: { status: 400, message: "model: String should have at most 2048 characters" },
  })
})

test("the name of a session keeps nothing else of its text in memory", () => {
  const callers = createCallers({ clientKeys: [], secrets: ["secret-0123456789"] })
  const none = new Headers()
  expect(callers(none, "secret-0123456789 a").session).toBe("[redacted] a")
  Bun.gc(true)
  const before = process.memoryUsage.rss()
  const kept = Array.from(
    { length: 100 },
    (_, at) => callers(none, `${at} ${"x".repeat(2_000_000)}`).session ?? "",
  )
  Bun.gc(true)
  expect(process.memoryUsage.rss() - before).toBeLessThan(80_000_000)
  expect(kept.map(({ length }) => length)).toEqual(Array(100).fill(64))
})
