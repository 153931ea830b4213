// A provider without a recorded shape is a provider that nobody has tested.
import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { providers } from "../../src/providers/table.ts"

// What is passed through is nobody's shape but its own.
const converted = providers.filter((row) => row.delta.dialect !== "messages")

test.each(converted.map((row) => row.id))("%s has streams among the fixtures", (id) => {
  expect(existsSync(join(import.meta.dir, "../fixtures/streams", id))).toBe(true)
})
