// The bench as a whole: its command line, and its processes at work on each other for a moment.
import { afterAll, expect, test } from "bun:test"
import { type Child, createChildren, startScript } from "../bench/speed/children.ts"
import { readOptions } from "../bench/speed/options.ts"
import { slot } from "../bench/speed/talk.ts"
import { directTo, startLimit } from "../bench/speed/targets.ts"
import { scaled, workNamed } from "../bench/speed/work.ts"

test.each<readonly [string, object]>([
  ["", { rounds: 3, quick: false, scale: 1, only: [], binaries: [], markdown: false, strict: false }],
  ["--quick", { rounds: 1, quick: true }],
  ["--rounds 5 --only start,small-*", { rounds: 5, only: ["start", "small-1", "small-32"] }],
  [
    "--binary old=/a/b --binary=/c/new --json x.json",
    {
      binaries: [
        { name: "old", path: "/a/b" },
        { name: "new", path: "/c/new" },
      ],
      json: "x.json",
    },
  ],
])("the options %j", (words, options) => {
  const args = words.split(" ").filter((word) => word !== "")
  expect(readOptions(args)).toMatchObject({ kind: "run", options })
})

test.each([
  ["--fast", "no such option: --fast"],
  ["--only nothing", "no work is called nothing"],
  ["--rounds 0", "--rounds takes a number from 1 to 100"],
  ["--rounds", "--rounds wants a value"],
  ["--binary /a/x --binary /b/x", "two binaries have the same name: --binary NAME=PATH"],
])("%j is refused", (words, problem) => {
  expect(readOptions(words.split(" "))).toEqual({ kind: "wrong", problem })
})

const children = createChildren()
afterAll(children.killAll)

async function measured(name: string, load: Child, upstream: Child, port: number) {
  const work = workNamed(name)
  if (work === undefined) throw new Error(`no such work: ${name}`)
  const scale = 0.1
  await upstream.ask({ kind: "play", reply: scaled(work, scale).reply }, 5_000)
  const order = { kind: "work", work: name, scale, dialect: "chat", port, ours: [] }
  return slot.parse(await load.ask(order, 60_000))
}

test("upstream, pass-through and load generator agree", async () => {
  const [upstream, load] = await Promise.all(
    ["upstream.ts", "load.ts"].map((script) => startScript(children, script)),
  )
  if (upstream === undefined || load === undefined) throw new Error("not started")
  const limit = await startLimit(children, upstream.port)
  for (const { port } of [directTo(upstream.port), limit]) {
    for (const name of ["text-200-8", "history-1m"]) {
      const found = await measured(name, load, upstream, port)
      expect(found).toMatchObject({ errors: 0, wrong: 0, problems: [] })
      expect(found.requests).toBeGreaterThan(0)
      expect(found.latency?.p50).toBeGreaterThan(0)
    }
  }
  // A play that is not what the load expects.
  await upstream.ask({ kind: "play", reply: { kind: "plain" } }, 5_000)
  const order = {
    kind: "work",
    work: "text-200-8",
    scale: 0.1,
    dialect: "chat",
    port: upstream.port,
    ours: [],
  }
  const found = slot.parse(await load.ask(order, 60_000))
  expect(found.wrong).toBeGreaterThan(0)
  await Promise.all([limit.stop(), upstream.stop(), load.stop()])
  expect(children.pids()).toEqual([])
}, 60_000)
