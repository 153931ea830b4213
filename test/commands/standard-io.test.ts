// The process's own output, as readers have it that are slow, gone, or never there.
import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createShown } from "../../src/commands/terminal/shown-lines.ts"

const folder = mkdtempSync(join(tmpdir(), "standard-io-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const proxy = `${process.execPath} --no-env-file ${join(import.meta.dir, "../../src/cli.ts")}`
const long = join(folder, "long.json")
writeFileSync(
  long,
  JSON.stringify({
    ...{ model: "claude-opus-4-8", max_tokens: 100 },
    messages: [{ role: "user", content: "x".repeat(3_000_000) }],
  }),
)

/** Runs a line of the shell; `PROXY` in it is this program. The exit code is that of the line. */
async function shell(line: string): Promise<{ code: number; out: string; error: string }> {
  const env = { ...process.env, PROXY: proxy, LONG: long }
  const child = Bun.spawn(["bash", "-o", "pipefail", "-c", line], { env, stdout: "pipe", stderr: "pipe" })
  const [out, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code: await child.exited, out: out.trim(), error: error.trim() }
}

describe("what a command writes", () => {
  test("arrives whole, however slowly it is read", async () => {
    const { code, out } = await shell("$PROXY convert $LONG | (sleep 1; wc -c)")
    expect([code, Number(out) > 3_000_000]).toEqual([0, true])
  }, 30_000)

  test("is whole in a file", async () => {
    const path = join(folder, "out.json")
    expect((await shell(`$PROXY convert $LONG > ${path}`)).code).toBe(0)
    expect(JSON.parse(readFileSync(path, "utf8")).messages[0].content).toBe("x".repeat(3_000_000))
  }, 30_000)

  test("ends quietly with its reader", async () => {
    expect(await shell("($PROXY convert $LONG; echo $? >&2) | head -c 1")).toEqual({
      ...{ code: 0, out: "{", error: "0" },
    })
  }, 30_000)

  test.each([
    ["standard output is closed", "$PROXY --help >&-", 0, ""],
    ["standard error is closed", "$PROXY serve --prot 1 2>&-", 2, ""],
    ["both are", "$PROXY --help >&- 2>&-", 0, ""],
    [
      "the disk is full",
      "$PROXY --help > /dev/full",
      1,
      "claude-proxy: cannot write: ENOSPC: no space left on device, write",
    ],
  ])(
    "when %s",
    async (_what, line, code, error) => {
      expect(await shell(line)).toEqual({ code, out: "", error })
    },
    30_000,
  )
})

describe("lines of the log that nobody reads", () => {
  test("wait up to a limit; of the others the number is told once they are read again", () => {
    const shown: string[] = []
    let waits = 0
    const io = { error: (text: string) => shown.push(text), errorWaits: () => waits }
    const show = createShown(io, (lines) => show(`${lines} lost`))
    show("one")
    waits = 4 * 1024 * 1024
    show("two")
    waits += 1
    for (const line of ["three", "four"]) show(line)
    expect(shown).toEqual(["one\n", "two\n"])
    waits = 0
    show("five")
    expect(shown).toEqual(["one\n", "two\n", "2 lost\n", "five\n"])
  })
})

test("a server whose standard error nobody reads answers on, and holds no more than it may", async () => {
  const [go, log, out] = ["go", "log", "out"].map((name) => join(folder, name))
  const reader = `>(read -r _ < ${go}; exec cat > ${log})`
  const child = Bun.spawn(
    ["bash", "-c", `mkfifo ${go}; exec $PROXY serve --demo --port 0 > ${out} 2> ${reader}`],
    {
      env: { ...process.env, PROXY: proxy, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder },
      cwd: folder,
    },
  )
  const read = (path = "") =>
    Bun.file(path)
      .text()
      .catch(() => "")
  try {
    const urlIn = async () => /listening on (\S+)/.exec(await read(out))?.[1]
    while ((await urlIn()) === undefined) await Bun.sleep(20)
    const url = await urlIn()
    const body = { model: "x".repeat(2_000), max_tokens: 9, messages: [{ role: "user", content: "hi" }] }
    const ask = async () =>
      (await fetch(`${url}/v1/messages`, { method: "POST", body: JSON.stringify(body) })).status
    for (let round = 0; round < 110; round++)
      expect(await Promise.all(Array.from({ length: 20 }, ask))).toEqual(
        Array.from({ length: 20 }, () => 200),
      )
    writeFileSync(go ?? "", "\n")
    while (!(await read(log)).includes("lines of the log were not shown")) await ask()
    const shown = await read(log)
    expect(shown.length).toBeLessThan(6_000_000)
    expect(
      shown
        .split("\n")
        .slice(0, -1)
        .every((line) => line.startsWith("{")),
    ).toBe(true)
  } finally {
    child.kill()
  }
  expect(await child.exited).toBe(0)
}, 60_000)

describe("lines that go out together", () => {
  const five = "one\ntwo\nthree\nfour\nfive\n"
  const path = join(import.meta.dir, "../../src/commands/terminal/standard-io.ts")
  test.each([
    ["when nothing is left to do", "", 0, five],
    ["before what is said at once", 'io.error("now\\n")', 0, `${five}now\n`],
    ["when the process is ended", "process.exit(3)", 3, five],
    [
      "when there are many of them",
      'for (let i = 0; i < 5000; i++) soon("x".repeat(99) + "\\n")',
      0,
      undefined,
    ],
  ])("are all there %s", async (_when, then, code, error) => {
    const script = `import { standardIo } from ${JSON.stringify(path)}
      const io = standardIo({}, () => {}), soon = io.errorSoon
      for (const word of ["one", "two", "three", "four", "five"]) soon(word + "\\n")
      ${then}`
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "ignore", stderr: "pipe" })
    const text = await new Response(child.stderr).text()
    expect(await child.exited).toBe(code)
    if (error === undefined) expect(text).toBe(five + `${"x".repeat(99)}\n`.repeat(5000))
    else expect(text).toBe(error)
  })
})
