// The compose file: who can reach what, which keys are asked for, and that everything it mounts is there.
import { describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { objectOf } from "../../src/protocol/json.ts"
import { withFolder } from "../support/proxy.ts"
import { deploy, objectsIn, readDeploy, readYaml, runTool, textsIn } from "./support.ts"

const text = await readDeploy("compose.yaml")
const compose = await readYaml("compose.yaml")
const services = objectOf(compose["services"])
const each = Object.entries(services).map(([name, service]) => [name, objectOf(service)] as const)
const [proxy, redis, prometheus, grafana] = ["proxy", "redis", "prometheus", "grafana"].map((name) =>
  objectOf(services[name]),
)

test("there are the proxy, Redis, Prometheus and Grafana", () => {
  expect(Object.keys(services)).toEqual(["proxy", "redis", "prometheus", "grafana"])
})

describe.each(each)("%s", (name, service) => {
  test("is published on this machine's loopback alone, if at all", () => {
    const ports = textsIn(service["ports"])
    expect(ports).toHaveLength(name === "redis" ? 0 : 1)
    for (const port of ports)
      expect(port).toMatch(/^(?:127\.0\.0\.1:\d+|\$\{PUBLISH:-127\.0\.0\.1:8082\}):\d+$/)
  })

  test("has no right it does not need, and a log with an end", () => {
    expect(service).toMatchObject({
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      restart: "unless-stopped",
      logging: { options: { "max-size": "10m" } },
    })
  })

  test("runs a version that is named, and mounts what is there", () => {
    expect(String(service["image"])).toMatch(
      name === "proxy" ? /^claude-proxy$/ : /^[\w/]+:v?\d+\.\d+[\w.-]*$/,
    )
    for (const volume of textsIn(service["volumes"])) {
      const [from = ""] = volume.split(":")
      if (from.startsWith("./")) expect(existsSync(join(deploy, from))).toBe(true)
      else expect(Object.keys(objectOf(compose["volumes"]))).toContain(from)
    }
  })
})

test("every volume and secret is used", () => {
  const used = each.flatMap(([, service]) =>
    textsIn(service["volumes"]).map((volume) => volume.split(":")[0]),
  )
  for (const name of Object.keys(objectOf(compose["volumes"]))) expect(used).toContain(name)
  expect(objectOf(compose["secrets"])).toEqual({ metrics_key: { environment: "METRICS_KEY" } })
  expect(prometheus?.["secrets"]).toEqual(["metrics_key"])
  // Compose cannot put a secret of that kind into a container that is read-only.
  expect(prometheus?.["read_only"]).toBeUndefined()
})

test("nothing starts without client keys, a key for Prometheus and a password", () => {
  for (const name of ["ALLOWED_API_KEYS", "METRICS_KEY", "GRAFANA_PASSWORD"])
    expect(text).toContain(`\${${name}:?`)
  const keys = String(objectOf(proxy?.["environment"])["ALLOWED_API_KEYS"])
  expect(keys).toMatch(/^\$\{ALLOWED_API_KEYS:\?[^}]+\},\$\{METRICS_KEY:\?[^}]+\}$/)
})

test("no value of a secret stands in it", () => {
  const secrets = [...text.matchAll(/^ *(\w*(?:KEYS?|PASSWORD|TOKEN)\w*): (.*)$/gm)].map(
    ([, , value]) => value,
  )
  expect(secrets.length).toBeGreaterThan(3)
  for (const value of secrets) expect(value).toMatch(/^(?:\$\{\w+:\?|"")/)
})

test("Redis is in a network of its own, which leads nowhere, and keeps what it has", () => {
  expect(objectOf(objectOf(compose["networks"])["store"])["internal"]).toBe(true)
  expect([proxy?.["networks"], redis?.["networks"]]).toEqual([["default", "store"], ["store"]])
  expect(grafana?.["networks"]).toBeUndefined()
  expect(textsIn(redis?.["command"])).toContain("--appendonly")
})

test("Prometheus asks the proxy where it listens, with the secret that it is given", async () => {
  const [job] = objectsIn((await readYaml("prometheus/prometheus.yml"))["scrape_configs"])
  const [targets] = objectsIn(job?.["static_configs"])
  expect(textsIn(targets?.["targets"])).toEqual([`proxy:${objectOf(proxy?.["environment"])["PORT"]}`])
  expect(job?.["authorization"]).toEqual({ credentials_file: "/run/secrets/metrics_key" })
})

test("a server on the machine itself can be reached by the name that the proxy knows", () => {
  expect(textsIn(proxy?.["extra_hosts"])).toEqual(["host.docker.internal:host-gateway"])
})

const tool = await composeTool()

async function composeTool(): Promise<readonly string[] | undefined> {
  for (const words of [["docker", "compose"], ["docker-compose"]]) {
    const program = Bun.which(words[0] ?? "")
    if (program === null) continue
    const { code, output } = await runTool([program, ...words.slice(1), "version"])
    if (code === 0 && /v2|version v?[2-9]/i.test(output)) return [program, ...words.slice(1)]
  }
  return undefined
}

test.skipIf(tool === undefined)("Compose takes it, once .env is filled in", async () => {
  await withFolder(async (folder) => {
    await Bun.write(join(folder, "compose.yaml"), text)
    const command = [
      ...(tool ?? []),
      "--project-directory",
      folder,
      "-f",
      join(folder, "compose.yaml"),
      "config",
    ]
    await Bun.write(join(folder, ".env"), await readDeploy(".env.example"))
    const empty = await runTool(command)
    expect(empty.code).not.toBe(0)
    expect(empty.output).toContain("set it in .env")
    await Bun.write(
      join(folder, ".env"),
      "ALLOWED_API_KEYS=a,b\nMETRICS_KEY=c\nGRAFANA_PASSWORD=d\nOPENAI_API_KEY=e\n",
    )
    const { code, output } = await runTool(command)
    expect({ code, output }).toMatchObject({ code: 0 })
    expect(output).toContain("ALLOWED_API_KEYS: a,b,c")
    expect(output).toContain("OPENAI_API_KEY: e")
  })
})
