// install.sh, for real: into a folder of its own, twice, and away again. What it would do to the system it only says.
import { beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { proxyCommand, withFolder } from "../support/proxy.ts"
import { deploy, type Ran, root, runTool } from "./support.ts"

const windows = process.platform === "win32"
// As strict a shell as there is.
const shell = Bun.which("dash") ?? "/bin/sh"
const script = join(deploy, "install.sh")

interface Place {
  readonly home: string
  /** A program that stands in for the binary, which is large. */
  readonly binary: string
  readonly target: string
  readonly env: string
  readonly install: (...args: readonly string[]) => Promise<Ran>
}

async function inPlace(use: (place: Place) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const binary = join(folder, "built")
    const words = proxyCommand().map((word) => `'${word}'`)
    writeFileSync(binary, `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`)
    chmodSync(binary, 0o755)
    const home = join(folder, "home")
    await use({
      home,
      binary,
      target: join(home, "p/bin/claude-proxy"),
      env: join(home, ".config/claude-proxy/.env"),
      install: (...args) =>
        runTool([shell, script, "--prefix", join(home, "p"), ...args], { HOME: home, XDG_CONFIG_HOME: "" }),
    })
  })
}

describe.skipIf(windows)("install.sh", () => {
  beforeAll(() => {
    expect(statSync(script).mode & 0o111).toBe(0o111)
  })

  test("installs, writes first settings, and leaves them alone ever after", async () => {
    await inPlace(async ({ binary, target, env, home, install }) => {
      const first = await install("--provider", "deepseek", binary)
      expect(first).toMatchObject({ code: 0 })
      expect(first.output).toContain(`Installed ${target} (`)
      expect(first.output).toContain(`${join(home, "p/bin")} is not in your PATH`)
      expect(statSync(target).mode & 0o777).toBe(0o755)
      expect(statSync(env).mode & 0o777).toBe(0o600)
      expect(readFileSync(env, "utf8")).toContain("\nDEEPSEEK_API_KEY=\n")

      writeFileSync(env, "MINE=1\n")
      const second = await install("--provider", "moonshot", binary)
      expect(second).toMatchObject({ code: 0 })
      expect(second.output).toContain(`${target} is up to date.\n${env} stays as it is.\n`)
      writeFileSync(binary, `${readFileSync(binary, "utf8")}# newer\n`)
      expect((await install(binary)).output).toContain(`Installed ${target} (`)
      expect(readFileSync(target, "utf8")).toEndWith("# newer\n")

      const gone = await install("--uninstall")
      expect(gone).toMatchObject({ code: 0 })
      expect(gone.output).toContain(`Gone: ${target}.`)
      expect(existsSync(target)).toBe(false)
      expect(readFileSync(env, "utf8")).toBe("MINE=1\n")
      expect(await install("--uninstall")).toMatchObject({ code: 0 })
    })
  })

  test("--dry-run changes nothing", async () => {
    await inPlace(async ({ binary, target, home, install }) => {
      const { code, output } = await install("--dry-run", binary)
      expect({ code, output }).toMatchObject({ code: 0 })
      expect(output).toContain(`would: mv -f ${target}.new ${target}\n`)
      expect(output).toContain("claude-proxy init\n")
      expect(existsSync(home)).toBe(false)
      // Without a binary it would build one, with the Bun of package.json.
      const { packageManager } = await Bun.file(join(root, "package.json")).json()
      const built = await install("--dry-run")
      expect(built.output).toContain(`Building with Bun ${String(packageManager).replace("bun@", "")}.`)
      expect(built.output).toMatch(/^would: (?:bun|npx -y bun@[\d.]+) run build$/m)
    })
  })

  test("what does not run here is not installed, and the old one stays", async () => {
    await inPlace(async ({ binary, target, install }) => {
      await install(binary)
      const before = readFileSync(target, "utf8")
      writeFileSync(binary, "#!/bin/sh\nexit 1\n")
      const { code, output } = await install(binary)
      expect(code).toBe(1)
      expect(output).toContain(`install.sh: ${binary} does not run here`)
      expect(readFileSync(target, "utf8")).toBe(before)
      expect(existsSync(`${target}.new`)).toBe(false)
    })
  })

  test.each([
    [["--sytemd"], "unknown option --sytemd"],
    [["--provider"], "--provider needs a value"],
    [["a", "b"], "one binary can be installed"],
    [["--uninstall", "a"], "--uninstall takes neither"],
  ])("wrong words are told, with exit code 2: %j", async (args, told) => {
    await inPlace(async ({ install }) => {
      const { code, output } = await install(...args)
      expect({ code, told: output.includes(told) }).toEqual({ code: 2, told: true })
    })
  })

  test("a file that is not there is told, too", async () => {
    await inPlace(async ({ install, home }) => {
      const { code, output } = await install(join(home, "none"))
      expect({ code, output }).toEqual({ code: 1, output: `install.sh: ${join(home, "none")} is no file\n` })
    })
  })

  test.skipIf(process.platform !== "linux")(
    "--systemd puts the unit for this binary into place",
    async () => {
      await inPlace(async ({ binary, target, home, install }) => {
        const { code, output } = await runTool(
          [shell, script, "--dry-run", "--systemd", "--prefix", join(home, "p"), binary],
          { HOME: home, PATH: `${await fakeSystemctl(home)}:${process.env["PATH"]}` },
        )
        expect({ code, output }).toMatchObject({ code: 0 })
        expect(output).toMatch(/^would: systemctl (?:--user )?enable claude-proxy$/m)
        expect(output).toMatch(/^would: write \S+\/claude-proxy\.service$/m)
        expect(existsSync(target)).toBe(false)
        // What a unit cannot name is refused before anything is done.
        const odd = await install("--systemd", "--dry-run", "--prefix", join(home, "a b"), binary)
        expect(odd.code).toBe(1)
      })
    },
  )

  const setpriv = Bun.which("setpriv")
  const root0 = process.getuid?.() === 0
  test.skipIf(setpriv === null || !root0)("for a user: a service of his own, and away again", async () => {
    await inPlace(async ({ binary, home }) => {
      const bin = await fakeSystemctl(home)
      // This user may not be allowed to look into the clone.
      const copied = join(home, "deploy")
      await runTool(["cp", "-r", deploy, copied])
      await runTool(["chown", "-R", "65534:65534", home])
      await runTool(["chmod", "755", join(home, "..")])
      const as = [setpriv ?? "", "--reuid=65534", "--regid=65534", "--clear-groups", shell]
      const own = [...as, join(copied, "install.sh")]
      const env = { HOME: home, PATH: `${bin}:/usr/bin:/bin` }
      // The stand-in for the binary may lie where this user cannot look: it is enough that it runs.
      writeFileSync(binary, "#!/bin/sh\nexit 0\n")
      const { code, output } = await runTool([...own, "--systemd", binary], env)
      expect({ code, output }).toMatchObject({ code: 0 })
      const unit = join(home, ".config/systemd/user/claude-proxy.service")
      expect(readFileSync(unit, "utf8")).toContain(`\nExecStart=${home}/.local/bin/claude-proxy serve\n`)
      expect(readFileSync(join(home, "asked"), "utf8")).toBe(
        "--user daemon-reload\n--user enable claude-proxy\n",
      )
      const gone = await runTool([...own, "--uninstall"], env)
      expect(gone).toMatchObject({ code: 0 })
      expect(existsSync(unit)).toBe(false)
      expect(readFileSync(join(home, "asked"), "utf8")).toContain("--user disable --now claude-proxy\n")
    })
  })

  const shellcheck = Bun.which("shellcheck")
  test.skipIf(shellcheck === null)("shellcheck has nothing to say", async () => {
    expect(await runTool([shellcheck ?? "", script])).toEqual({ code: 0, output: "" })
  })
})

/** A folder with a systemctl that writes down what it is asked. */
async function fakeSystemctl(home: string): Promise<string> {
  const path = join(home, "bin/systemctl")
  await Bun.write(path, '#!/bin/sh\necho "$@" >>"$HOME/asked"\n')
  chmodSync(path, 0o755)
  return join(home, "bin")
}
