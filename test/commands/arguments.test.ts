import { describe, expect, test } from "bun:test"
import {
  checkArguments,
  flagsIn,
  nearest,
  splitArguments,
} from "../../src/commands/command-line/arguments.ts"

const definition = {
  file: { type: "positional", required: false },
  port: { type: "string", valueHint: "port" },
  "log-level": { type: "string" },
  demo: { type: "boolean" },
} as const

describe("splitting at --", () => {
  test.each([
    [[], { own: [], rest: undefined }],
    [["run", "--", "claude", "--help"], { own: ["run"], rest: ["claude", "--help"] }],
    [["run", "--"], { own: ["run"], rest: [] }],
    [["run", "--", "sh", "--", "x"], { own: ["run"], rest: ["sh", "--", "x"] }],
  ])("%j", (argv, expected) => {
    expect(splitArguments(argv)).toEqual(expected)
  })
})

describe("checking arguments", () => {
  test.each([[["--port", "80", "--demo", "a.json"]], [["--port=80", "--log-level=debug"]], [["-"]], [[]]])(
    "%j is fine",
    (own) => {
      expect(checkArguments(own, definition).problem).toBeUndefined()
    },
  )

  test.each([
    [["--prot", "80"], "unknown option --prot. Did you mean --port?"],
    [["--logLevel", "x"], "unknown option --logLevel. Did you mean --log-level?"],
    [["--log"], "unknown option --log. Did you mean --log-level?"],
    [["--something"], "unknown option --something."],
    [["--file", "x"], "unknown option --file."],
    [["-p", "80"], "unknown option -p."],
    [["--port"], "--port needs a value: --port PORT"],
    [["--port="], "--port needs a value: --port PORT"],
    [["--port", ""], "--port needs a value: --port PORT"],
    [["--log-level", "--demo"], "--log-level needs a value: --log-level VALUE"],
    [["--no-port"], "unknown option --no-port. To do without --port, leave it out."],
    [["--no-demo"], "unknown option --no-demo. To do without --demo, leave it out."],
    [["--demo=false"], "--demo takes no value."],
    [["a", "b"], 'unexpected argument "b".'],
    [["--constructor"], "unknown option --constructor."],
  ])("%j: %s", (own, problem) => {
    expect(checkArguments(own, definition).problem).toBe(problem)
  })

  test("what stands behind -- is never a flag", () => {
    expect(checkArguments([], definition, ["--port"])).toEqual({
      positionals: ["--port"],
      problem: undefined,
    })
    expect(checkArguments(["a"], definition, ["--port"]).problem).toBe('unexpected argument "--port".')
  })
})

describe("the flags that were given", () => {
  test.each([
    [[], {}],
    [["--port", "80", "--demo"], { port: "80", demo: true }],
    [["--log-level=debug", "a.json", "--port=80"], { "log-level": "debug", port: "80" }],
    [["--port", "80", "--port=81"], { port: "81" }],
    [["--log-level=a=b\nc"], { "log-level": "a=b\nc" }],
  ])("%j: %j", (own, expected) => {
    expect(flagsIn(own, definition)).toEqual(expected)
  })
})

describe("the nearest word", () => {
  const commands = ["serve", "run", "convert", "count-tokens", "demo"]
  test.each([
    ["serv", "serve"],
    ["conv", "convert"],
    ["count", "count-tokens"],
    ["ruin", "run"],
    ["dmeo", "demo"],
    ["start", undefined],
    ["x", undefined],
    ["", undefined],
  ])("%s → %p", (typed, expected) => {
    expect(nearest(typed, commands)).toBe(expected)
  })
})
