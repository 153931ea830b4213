// `demo` ends by itself whatever goes wrong: nobody looks at a demo that hangs.
import { expect, test } from "bun:test"
import { runProxy } from "../support/proxy.ts"

test("a broken setting in the environment is told, and ends with 2", async () => {
  const ended = await runProxy(["demo", "--once"], { env: { LOG_LEVEL: "foo" }, timeoutMs: 10_000 })
  expect([ended.exitCode, ended.timedOut]).toEqual([2, false])
  expect(ended.stderr).toContain("LOG_LEVEL")
})
