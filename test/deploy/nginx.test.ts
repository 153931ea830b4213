// The example for nginx, with a real nginx: names and keys get through, streams come as they are written, and what nginx
// alone would refuse is let through. Where nginx is not installed this is left out.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../support/free-port.ts"
import { type RunningProxy, startProxy } from "../support/proxy.ts"
import { readDeploy, runTool } from "./support.ts"

const program = Bun.which("nginx") ?? Bun.which("/usr/sbin/nginx")
const openssl = Bun.which("openssl")
const name = "proxy.example"
const key = "one-client-key"

/** The example with other ports and files: nothing else in it is changed. */
function adapted(text: string, folder: string, ports: { plain: number; tls: number; proxy: number }): string {
  return text
    .replace(/^ *listen \[::\].*\n/gm, "")
    .replace("listen 80;", `listen 127.0.0.1:${ports.plain};`)
    .replace("listen 443 ssl;", `listen 127.0.0.1:${ports.tls} ssl;`)
    .replace("127.0.0.1:8082", `127.0.0.1:${ports.proxy}`)
    .replaceAll(`/etc/letsencrypt/live/${name}`, folder)
}

function around(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(" ")
  // gzip as some turn it on for everything: the example has to turn it off.
  return `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
http { access_log off; ${temporary} gzip on; gzip_min_length 0; gzip_types *; include ${folder}/site.conf; }`
}

describe.skipIf(program === null || openssl === null)("nginx in front", () => {
  const ports = { plain: freePort(), tls: freePort(), proxy: 0 }
  let folder = ""
  let proxy: RunningProxy | undefined
  let nginx: Bun.Subprocess | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "claude-proxy-nginx-"))
    proxy = await startProxy({ ALLOWED_API_KEYS: key, ALLOWED_HOSTS: name }, ["--demo"])
    ports.proxy = Number(new URL(proxy.url).port)
    const files = ["-keyout", join(folder, "privkey.pem"), "-out", join(folder, "fullchain.pem")]
    const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`]
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    await runTool([openssl ?? "", "req", "-x509", ...curve, "-nodes", "-days", "2", ...subject, ...files])
    await Bun.write(join(folder, "site.conf"), adapted(await readDeploy("nginx.conf"), folder, ports))
    await Bun.write(join(folder, "nginx.conf"), around(folder))
    nginx = Bun.spawn([program ?? "", "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")], {
      stdio: ["ignore", "ignore", "ignore"],
    })
    const deadline = performance.now() + 10_000
    while (!(await listens(ports.tls)) && performance.now() < deadline) await Bun.sleep(20)
  })

  afterAll(async () => {
    nginx?.kill("SIGTERM")
    await nginx?.exited
    await proxy?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`https://127.0.0.1:${ports.tls}${path}`, {
      ...init,
      headers: {
        host: name,
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        ...init.headers,
      },
      tls: { rejectUnauthorized: false },
    })
  }

  const message = (stream: boolean, content: string) =>
    JSON.stringify({ model: "claude-x", max_tokens: 50, stream, messages: [{ role: "user", content }] })

  test("has nothing to complain of", async () => {
    const command = [
      program ?? "",
      "-t",
      "-q",
      "-e",
      join(folder, "error.log"),
      "-c",
      join(folder, "nginx.conf"),
    ]
    expect(await runTool(command)).toEqual({ code: 0, output: "" })
  })

  test("leads to the proxy under the name it is asked by, which keeps asking for keys", async () => {
    expect((await ask("/health", { headers: { authorization: "" } })).status).toBe(200)
    expect((await ask("/v1/models", { headers: { authorization: "" } })).status).toBe(401)
    expect((await ask("/v1/models")).status).toBe(200)
    // Any other name is not this proxy's (ALLOWED_HOSTS).
    expect((await ask("/health", { headers: { host: "other.example" } })).status).toBe(403)
  })

  test("sends who comes without TLS to where there is some, with what he asks", async () => {
    const response = await fetch(`http://127.0.0.1:${ports.plain}/v1/messages?beta=true`, {
      method: "POST",
      headers: { host: name },
      redirect: "manual",
    })
    expect(response.status).toBe(308)
    expect(response.headers.get("location")).toBe(`https://${name}/v1/messages?beta=true`)
  })

  test("streams come as they are written, and not packed", async () => {
    const response = await ask("/v1/messages", {
      method: "POST",
      body: message(true, "hi"),
      headers: { "accept-encoding": "gzip" },
    })
    expect(response.status).toBe(200)
    expect(response.headers.get("content-encoding")).toBeNull()
    const times: number[] = []
    let text = ""
    for await (const bytes of response.body ?? []) {
      times.push(performance.now())
      text += new TextDecoder().decode(bytes)
    }
    expect(text).toEndWith('data: {"type":"message_stop"}\n\n')
    // The built-in upstream takes its time: gathered, all of it would come at once.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(300)
  })

  test("a long session is not too large, and not written to disk", async () => {
    const response = await ask("/v1/messages", {
      method: "POST",
      body: message(false, "word ".repeat(500_000)),
    })
    // The proxy's own answer, in its own words: nginx's would be 413 and HTML.
    expect(response.status).toBe(400)
    expect(await response.text()).toContain("prompt is too long")
    const written = await Array.fromAsync(new Bun.Glob("client_body/*").scan({ cwd: folder }))
    expect(written).toEqual([])
  })

  test("figures are for this machine", async () => {
    expect((await ask("/metrics")).status).toBe(200)
    expect(await readDeploy("nginx.conf")).toMatch(/metrics[^}]*deny all;/)
  })
})

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => resolve(true))
    socket.once("error", () => resolve(false))
    socket.once("close", () => socket.destroy())
    socket.once("connect", () => socket.end())
  })
}
