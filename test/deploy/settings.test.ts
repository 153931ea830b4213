// What deploy/ says of settings, versions, folders and times is what the program and package.json say.
import { describe, expect, test } from "bun:test"
import { stateFolder } from "../../src/commands/instances/folder.ts"
import { configFolder } from "../../src/config/load/disk.ts"
import { findSetting } from "../../src/config/settings/settings.ts"
import { parseEnvFile } from "../../src/config/sources/env-file.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { runProxy } from "../support/proxy.ts"
import { readDeploy, readYaml, root, runTool, textsIn } from "./support.ts"

const dockerfile = await readDeploy("Dockerfile")
const unit = await readDeploy("claude-proxy.service")
const envExample = await readDeploy(".env.example")
const userUnit = await readDeploy("claude-proxy.user.service")
const manifest = objectOf(await Bun.file(`${root}/package.json`).json())
const services = objectOf((await readYaml("compose.yaml"))["services"])
const proxy = objectOf(services["proxy"])
const composeEnv = objectOf(proxy["environment"])

/** `NAME=value` pairs behind a word of the Dockerfile, over its continued lines. */
const imageEnv = Object.fromEntries(
  [...(/^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile)?.[1] ?? "").matchAll(/(\w+)=(\S+)/g)].map(
    ([, name = "", value = ""]) => [name, value] as const,
  ),
)
const unitEnv = Object.fromEntries(
  [...(/^Environment=(.*)$/m.exec(unit)?.[1] ?? "").matchAll(/(\w+)=(\S+)/g)].map(
    ([, name = "", value = ""]) => [name, value] as const,
  ),
)

// What belongs to the system, or to Compose, Prometheus and Grafana alone.
const others = ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "METRICS_KEY", "GRAFANA_PASSWORD", "PUBLISH"]

describe("every setting exists:", () => {
  const example = [...envExample.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)]
  test.each([
    ["Dockerfile", Object.keys(imageEnv)],
    ["compose.yaml", Object.keys(composeEnv)],
    ["claude-proxy.service", Object.keys(unitEnv)],
    [".env.example", example.map(([, name]) => name ?? "")],
  ])("%s", (_, names) => {
    expect(names.length).toBeGreaterThan(2)
    expect(names.filter((name) => findSetting(name) === undefined && !others.includes(name))).toEqual([])
  })

  test.each([
    "Dockerfile",
    "compose.yaml",
    "claude-proxy.service",
    "nginx.conf",
    "prometheus/prometheus.yml",
  ])("in words, too: %s", async (path) => {
    const text = await readDeploy(path)
    const named = [...text.matchAll(/\b(?:[A-Z]{2,}_)+[A-Z]{2,}\b/g)].map(([name]) => name)
    const known = /^(?:GF_|CAP_|AF_|ANTHROPIC_BASE_URL|NODE_USE_SYSTEM_CA|BUN_TARGET)/
    const strange = named.filter((name) => findSetting(name) === undefined && !known.test(name))
    expect(strange.filter((name) => !others.includes(name))).toEqual([])
  })
})

test("the example of a .env can be read, and leaves what is asked for to be filled in", () => {
  const { entries, issues } = parseEnvFile(envExample)
  expect(issues).toEqual([])
  expect(entries.map(({ name, value }) => [name, value])).toEqual([
    ["ALLOWED_API_KEYS", ""],
    ["METRICS_KEY", ""],
    ["GRAFANA_PASSWORD", ""],
  ])
})

describe("the folders are where the program looks", () => {
  test.each([
    ["image", imageEnv],
    ["unit", unitEnv],
  ])("%s", (_, env) => {
    expect(configFolder(env, "linux", "/nowhere")).toBe("/etc/claude-proxy")
    expect(stateFolder(env, "linux", "/nowhere")).toBe("/var/lib/claude-proxy")
  })

  test("and are made, or mounted, there", () => {
    expect(dockerfile).toContain("\nVOLUME /var/lib/claude-proxy\n")
    expect(dockerfile).toContain("COPY --from=build --chown=65532:0 /out/var/ /var/lib/\n")
    expect(dockerfile).toContain("\nUSER 65532:65532\n")
    expect(unit).toContain("\nConfigurationDirectory=claude-proxy\n")
    expect(unit).toContain("\nStateDirectory=claude-proxy\n")
    expect(textsIn(proxy["volumes"])).toEqual([
      "state:/var/lib/claude-proxy",
      "./config:/etc/claude-proxy:ro",
    ])
  })
})

describe("time to finish", () => {
  const seconds = (text: unknown) => Number(/^(\d+)s?$/.exec(String(text))?.[1])
  const usual = Number(findSetting("SHUTDOWN_TIMEOUT")?.default)

  test("the image ends before docker stop kills", () => {
    expect(Number(imageEnv["SHUTDOWN_TIMEOUT"])).toBeLessThan(10)
  })

  test("Compose and systemd wait for longer than it takes", () => {
    expect(seconds(proxy["stop_grace_period"])).toBeGreaterThan(Number(composeEnv["SHUTDOWN_TIMEOUT"]))
    for (const text of [unit, userUnit])
      expect(seconds(/^TimeoutStopSec=(.*)$/m.exec(text)?.[1])).toBeGreaterThan(usual)
  })
})

describe("the image", () => {
  test("is built with the Bun of package.json, which is named nowhere else", () => {
    expect(String(manifest["packageManager"])).toMatch(/^bun@\d+\.\d+\.\d+$/)
    expect(dockerfile).toContain(`"$(node -p 'require("./package.json").packageManager')"`)
    expect(dockerfile).not.toMatch(/bun@\d|bun:\d/)
  })

  test("by a script that exists, for the kinds of machines that the project builds for", () => {
    const scripts = objectOf(manifest["scripts"])
    expect(dockerfile).toContain("bun run compile --target=")
    expect(scripts["compile"]).toBeString()
    for (const target of dockerfile.match(/bun-linux-\w+(?= ;;)/g) ?? ["none"])
      expect(Object.values(scripts).join()).toContain(`--target=${target} `)
  })

  test("takes in what it is built from, and neither .env nor anything else", async () => {
    const lines = (await Bun.file(`${root}/.dockerignore`).text())
      .split("\n")
      .filter((line) => /^[^#]/.test(line))
    expect(lines).toEqual(["*", "!package.json", "!bun.lock", "!bunfig.toml", "!src", "**/.env", "**/.env.*"])
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, list = ""]) =>
      list.split(" "),
    )
    expect(copied.toSorted()).toEqual(
      lines
        .filter((line) => line.startsWith("!"))
        .map((line) => line.slice(1))
        .toSorted(),
    )
  })

  test("checks itself, starts and stops by commands that the program has", async () => {
    const forms = [...dockerfile.matchAll(/CMD (\[.*\])$/gm)].map(([, list = "[]"]) =>
      textsIn(JSON.parse(list)),
    )
    expect(forms).toEqual([["/usr/local/bin/claude-proxy", "health"], ["serve"]])
    expect((await runProxy(["help", "health"])).exitCode).toBe(0)
    expect(dockerfile).toContain("\nSTOPSIGNAL SIGTERM\n")
  })
})

describe("the units", () => {
  test.each([
    ["system", unit, "/usr/local/bin/claude-proxy serve"],
    ["user", userUnit, "%h/.local/bin/claude-proxy serve"],
  ])("of the %s: starts it, and does not try again what cannot work", (_, text, command) => {
    expect(text).toContain(`\nExecStart=${command}\n`)
    expect(text).toContain("\nRestartPreventExitStatus=2\n")
    expect(text).toContain("\nKillMode=mixed\n")
    // Its engine compiles while it runs; and SIGHUP would end it.
    expect(text).not.toMatch(/^(?:MemoryDenyWriteExecute|ExecReload)=/m)
  })

  const analyze = Bun.which("systemd-analyze")
  test.skipIf(analyze === null)("systemd knows every word of them", async () => {
    for (const name of ["claude-proxy.service", "claude-proxy.user.service"]) {
      const { output } = await runTool([analyze ?? "", "verify", `${root}/deploy/${name}`])
      const told = output.split("\n").filter((line) => line.includes("claude-proxy"))
      // That nothing is installed here is no mistake of the unit.
      expect(told.filter((line) => !/is not executable: No such file/.test(line))).toEqual([])
    }
  })
})
