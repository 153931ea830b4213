import { describe, expect, test } from "bun:test"
import packageJson from "../../package.json" with { type: "json" }

const cli = `${import.meta.dir}/../../src/cli.ts`

async function start(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env["PATH"], HOME: "/nonexistent", XDG_CONFIG_HOME: "/nonexistent", ...more }
  const child = Bun.spawn([process.execPath, "--no-env-file", cli, ...args], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, error, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { out, error, exitCode }
}

describe("version and help", () => {
  test.each([[["--version"]], [["-v"]], [["serve", "--version"]]])("%j", async (args) => {
    expect(await start(args)).toEqual({ out: `${packageJson.version}\n`, error: "", exitCode: 0 })
  })

  test.each([[[]], [["--help"]], [["help"]], [["help", "--help"]]])(
    "%j shows the commands, without colours in a pipe",
    async (args) => {
      const { out, error, exitCode } = await start(args)
      expect({ error, exitCode }).toEqual({ error: "", exitCode: 0 })
      expect(out.match(/^ +(serve|run|convert|count-tokens|demo) {4}/gm)).toHaveLength(5)
      expect(out).not.toContain("\u001b")
      expect(out).toContain("\nEXAMPLES\n")
    },
  )

  test.each(["serve", "run", "convert", "count-tokens", "demo"])("%s --help has examples", async (name) => {
    const { out, exitCode } = await start([name, "--help"])
    expect(exitCode).toBe(0)
    expect(out).toContain(`USAGE claude-proxy ${name} [OPTIONS]`)
    expect(out.slice(out.indexOf("EXAMPLES"))).toContain(`claude-proxy ${name}`)
  })
})

describe("wrong usage is exit code 2", () => {
  test.each([
    [
      ["help", "serv"],
      'claude-proxy: unknown command "serv". Did you mean serve?\nSee claude-proxy --help\n',
    ],
    [
      ["run", "--demo", "--model", "x", "--", "true"],
      "claude-proxy: --demo answers for every model itself: leave out --model, or --demo.\n",
    ],
    [["start"], 'claude-proxy: unknown command "start". Did you mean serve?\nSee claude-proxy --help\n'],
    [["serv"], 'claude-proxy: unknown command "serv". Did you mean serve?\nSee claude-proxy --help\n'],
    [
      ["--port", "1", "serve"],
      "claude-proxy: unknown option --port. Options stand behind the command: claude-proxy serve …\nSee claude-proxy --help\n",
    ],
    [
      ["serve", "--prot", "1"],
      "claude-proxy: unknown option --prot. Did you mean --port?\nSee claude-proxy serve --help\n",
    ],
    [["serve", "--port", "70000"], 'claude-proxy: --port must be a number from 0 to 65535, not "70000".\n'],
    [
      ["serve", "--log-level", "loud"],
      'claude-proxy: --log-level must be DEBUG, INFO, WARNING or ERROR, not "loud".\n',
    ],
    [
      ["run", "claude", "-p"],
      "claude-proxy: unknown option -p. Put the command behind --: claude-proxy run -- claude\nSee claude-proxy run --help\n",
    ],
    [
      ["run", "claude"],
      'claude-proxy: unexpected argument "claude". Put the command behind --: claude-proxy run -- claude\nSee claude-proxy run --help\n',
    ],
  ])("%j", async (args, error) => {
    expect(await start(args)).toEqual({ out: "", error, exitCode: 2 })
  })
})

test.each([[["status"]], [["stop", "--all"]], [["restart"]], [["logs"]]])(
  "%j: a state folder that cannot be looked into does not pass for empty",
  async (args) => {
    const { out, error, exitCode } = await start(args, { XDG_STATE_HOME: import.meta.path })
    expect({ out, exitCode }).toEqual({ out: "", exitCode: 1 })
    expect(error).toStartWith(
      `claude-proxy: cannot look into ${import.meta.path}/claude-proxy (ENOTDIR): make it`,
    )
  },
)
