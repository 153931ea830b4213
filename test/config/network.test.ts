import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { rootCertificates } from "node:tls"
import { mergeHeaders } from "../../src/config/network/headers.ts"
import { isDirect, networkPart, readProxy, wayTo } from "../../src/config/network/network.ts"
import { isWhole } from "../../src/config/network/pem.ts"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { configFrom, configOf, folderWith, load, problemsOf, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

const key = { OPENAI_API_KEY: "sk-upstream-key-1" }

/** HOST:PORT and the variable of the proxy that a request to this model goes through. */
function proxyOf(env: Readonly<Record<string, string>>, file = ""): readonly string[] | undefined {
  const config = configOf(load({ env: { ...key, ...env }, configDir: folderWith({ ".env": file }) }))
  const resolved = resolveRoute(config, "gpt-4o")
  const proxy = resolved.ok ? resolved.route.proxy : undefined
  return proxy && [proxy.where, proxy.setting]
}

describe("addresses of proxies", () => {
  test.each([
    ["http://proxy.example:8080", "http://proxy.example:8080", "proxy.example:8080"],
    ["http://proxy.example:8080/", "http://proxy.example:8080", "proxy.example:8080"],
    ["proxy.example:8080", "http://proxy.example:8080", "proxy.example:8080"],
    ["127.0.0.1:7890", "http://127.0.0.1:7890", "127.0.0.1:7890"],
    ["proxy.example", "http://proxy.example", "proxy.example:80"],
    ["https://proxy.example", "https://proxy.example", "proxy.example:443"],
    ["http://me:s%40fe@proxy.example:1", "http://me:s%40fe@proxy.example:1", "proxy.example:1"],
    ["me:safe@proxy.example:1", "http://me:safe@proxy.example:1", "proxy.example:1"],
    ["http://[::1]:8080", "http://[::1]:8080", "[::1]:8080"],
  ])("%s", (text, url, where) => {
    expect(readProxy(text, "HTTP_PROXY")).toEqual({ ok: true, value: { url, where, setting: "HTTP_PROXY" } })
  })

  test.each(["socks5://127.0.0.1:1080", "socks5h://u:p@h:1", "SOCKS4://h:1", "socks://h:1"])("%s", (text) => {
    const read = readProxy(text, "ALL_PROXY")
    expect(read.ok ? "" : read.why).toStartWith("is a SOCKS proxy, which is not supported: give the address")
  })

  test.each([
    ...["ftp://proxy:1", "http://", "http://a b", "http://me:p#ss@proxy:1", "http://proxy:99999"],
    // What was taken for the host, and would be shown, is a name or a piece of a password.
    ...["http://me:p@ss#w@proxy:1", "http://me:p@ss/w@proxy:1", "http://me:12#4@proxy:1", "me:1?@proxy:1"],
  ])("%s is none", (text) => {
    const read = readProxy(text, "HTTP_PROXY")
    expect(read.ok ? "" : read.why).toStartWith("is not the address of an HTTP proxy: write http://HOST:PORT")
  })
})

describe("what is reached directly", () => {
  test.each([
    ["https://api.example.com/v1", "api.example.com", true],
    ["https://api.example.com/v1", "example.com", true],
    ["https://api.example.com/v1", ".example.com", true],
    ["https://api.example.com/v1", "*.example.com", true],
    ["https://example.com/v1", ".example.com", true],
    ["https://badexample.com/v1", "example.com", false],
    ["https://api.example.com./v1", "example.com", true],
    ["https://API.example.com/v1", "api.example.com", true],
    ["https://api.example.com/v1", "api.example.com:443", true],
    ["https://api.example.com/v1", "api.example.com:80", false],
    ["https://api.example.com:8443/v1", "example.com:8443", true],
    ["https://api.example.com/v1", "*", true],
    ["https://api.example.com/v1", "com.example", false],
    ["https://api.example.com/v1", ".", false],
    ["http://10.1.2.3/v1", "10.1.2.3", true],
    ["http://10.1.2.3/v1", "10.0.0.0/8", true],
    ["http://11.1.2.3/v1", "10.0.0.0/8", false],
    ["http://192.168.7.9/v1", "192.168.4.0/22", true],
    ["http://192.168.8.9/v1", "192.168.4.0/22", false],
    ["http://10.1.2.3/v1", "0.0.0.0/0", true],
    ["http://10.1.2.3/v1", "10.1.2.3/32", true],
    ["http://10.1.2.3/v1", "10.0.0.0/99", false],
    ["http://10.1.2.3/v1", "10.0.0.0/", false],
    ["http://ten.example/v1", "10.0.0.0/8", false],
    ["http://[fd00::1]:8000/v1", "fd00::1", true],
    ["http://[fd00::1]:8000/v1", "[fd00::1]", true],
    ["http://[fd00::1]:8000/v1", "[fd00::1]:8000", true],
    ["http://[fd00::1]:8000/v1", "[fd00::1]:9000", false],
    ["http://localhost:11434/v1", "", true],
    ["http://gpu.localhost:1/v1", "", true],
    ["http://127.0.0.2:1/v1", "", true],
    ["http://0.0.0.0:1/v1", "", true],
    ["http://[::1]:1/v1", "", true],
    ["http://127.example.com/v1", "", false],
  ])("%s with NO_PROXY=%s: %p", (url, entry, direct) => {
    expect(isDirect(new URL(url), entry === "" ? [] : [entry])).toBe(direct)
  })

  test("entries stand between commas or white space, in any case", () => {
    const env = { HTTPS_PROXY: "p:1" }
    for (const hosts of ["a.example,API.OpenAI.com", "a.example  api.openai.com", "a.example, .openai.com ,"])
      expect(proxyOf({ ...env, NO_PROXY: hosts })).toBeUndefined()
    expect(proxyOf({ ...env, NO_PROXY: "a.example" })).toEqual(["p:1", "HTTPS_PROXY"])
  })
})

describe("where a proxy is named", () => {
  test.each<[string, Readonly<Record<string, string>>, string, readonly string[] | undefined]>([
    ["nowhere", {}, "", undefined],
    ["the environment", { HTTPS_PROXY: "a:1" }, "", ["a:1", "HTTPS_PROXY"]],
    ["the environment, in lower case", { https_proxy: "a:1" }, "", ["a:1", "HTTPS_PROXY"]],
    ["both cases", { HTTPS_PROXY: "a:1", https_proxy: "b:1" }, "", ["b:1", "HTTPS_PROXY"]],
    [
      "both cases, in the other order",
      { https_proxy: "b:1", HTTPS_PROXY: "a:1" },
      "",
      ["b:1", "HTTPS_PROXY"],
    ],
    ["the lower one empty", { HTTPS_PROXY: "a:1", https_proxy: "" }, "", ["a:1", "HTTPS_PROXY"]],
    ["empty", { HTTPS_PROXY: "" }, "", undefined],
    ["a file", {}, "HTTPS_PROXY=a:1", ["a:1", "HTTPS_PROXY"]],
    ["a file, in lower case", {}, "https_proxy=a:1\nHTTPS_PROXY=b:1", ["a:1", "HTTPS_PROXY"]],
    ["both", { https_proxy: "a:1" }, "HTTPS_PROXY=b:1", ["a:1", "HTTPS_PROXY"]],
    ["for all", { ALL_PROXY: "a:1" }, "", ["a:1", "ALL_PROXY"]],
    ["for all, in lower case", {}, "all_proxy=a:1", ["a:1", "ALL_PROXY"]],
    ["for all and for https", { ALL_PROXY: "a:1", HTTPS_PROXY: "b:1" }, "", ["b:1", "HTTPS_PROXY"]],
    ["for http alone", { HTTP_PROXY: "a:1" }, "", undefined],
    ["a file, with an exception in the environment", { no_proxy: "*" }, "HTTPS_PROXY=a:1", undefined],
    [
      "the environment, with an exception in a file",
      { HTTPS_PROXY: "a:1" },
      "NO_PROXY=.openai.com",
      undefined,
    ],
  ])("%s", (_where, env, file, expected) => {
    expect(proxyOf(env, file)).toEqual(expected)
  })

  test("for http:// upstreams", () => {
    const env = { OPENAI_BASE_URL: "http://relay.example/v1", HTTPS_PROXY: "s:1", HTTP_PROXY: "h:1" }
    expect(proxyOf(env)).toEqual(["h:1", "HTTP_PROXY"])
    expect(proxyOf({ ...env, OPENAI_BASE_URL: "http://localhost:1/v1" })).toBeUndefined()
  })

  test("exceptions of all sources count", () => {
    const env = { HTTPS_PROXY: "a:1", NO_PROXY: "api.openai.com" }
    expect(proxyOf(env, "NO_PROXY=other.example")).toBeUndefined()
    expect(proxyOf({ ...env, NO_PROXY: "other.example" }, "no_proxy=api.openai.com")).toBeUndefined()
    const envFile = join(folderWith({ "named.env": "NO_PROXY=other.example\n" }), "named.env")
    expect(configFrom({ ...key, ...env }, { envFile }).network.direct).toEqual([
      "other.example",
      "api.openai.com",
    ])
  })

  test("lower-case names in a file are no near misses", () => {
    const configDir = folderWith({ ".env": "https_proxy=a:1\nhttp_proxy=a:1\nno_proxy=b\nall_proxy=a:1\n" })
    expect(warningsOf(load({ env: key, configDir }))).toEqual([])
  })

  test("models.yaml, for one provider", () => {
    const values = new Map([["HTTPS_PROXY", { value: "a:1", origin: "environment" }]])
    const entry = {
      ...{ apiBase: undefined, keyName: undefined, delta: {}, headers: {}, defaults: {}, profile: undefined },
    }
    const providers = [
      { ...entry, id: "own", proxy: "b:1" },
      { ...entry, id: "none", proxy: false as const },
      { ...entry, id: "plain", proxy: undefined },
    ]
    const { network } = networkPart({ values, providers, upstreams: [], authorities: undefined })
    const through = (id: string) => wayTo(network, "https://relay.example/v1", id).proxy
    expect(through("own")?.where).toBe("b:1")
    expect(through("own")?.setting).toBe("proxy of own in models.yaml")
    expect([through("none"), through("plain")?.where, through("other")?.where]).toEqual([
      undefined,
      "a:1",
      "a:1",
    ])
    expect(wayTo(network, "http://relay.example/v1", "own").proxy?.where).toBe("b:1")
    expect(wayTo(network, "http://localhost/v1", "own")).toEqual({})
  })
})

describe("a proxy that cannot be used", () => {
  test("is a problem where a request would go through it", () => {
    expect(problemsOf(load({ env: { ...key, HTTPS_PROXY: "socks5://127.0.0.1:1080" } }))).toEqual([
      "HTTPS_PROXY (environment) is a SOCKS proxy, which is not supported: give the address of an HTTP proxy, http://HOST:PORT (most programs that offer the one offer the other), or take it out.",
    ])
    expect(problemsOf(load({ env: { ...key, ALL_PROXY: "ftp://x" } }))[0]).toStartWith(
      "ALL_PROXY (environment) is not the address of an HTTP proxy",
    )
  })

  test.each([
    ["another one is used", { https_proxy: "a:1", http_proxy: "a:1", all_proxy: "socks5://127.0.0.1:1080" }],
    ["all is reached directly", { all_proxy: "socks5://127.0.0.1:1080", no_proxy: "*" }],
    ["it is for addresses of the other kind", { http_proxy: "socks5://127.0.0.1:1080" }],
  ])("is none in the environment when %s", (_why, env) => {
    expect(problemsOf(load({ env: { ...key, ...env } }))).toEqual([])
  })

  test("is none for an upstream on this machine", () => {
    const env = { OPENAI_BASE_URL: "http://localhost:1/v1", all_proxy: "socks5://h:1", BIG_MODEL: "m" }
    expect(problemsOf(load({ env }))).toEqual([])
  })

  test("is always one in a file, without what it holds", () => {
    const configDir = folderWith({ ".env": "HTTP_PROXY=http://me:very#secret@proxy:1\n" })
    const [problem = "", ...more] = problemsOf(load({ env: key, configDir }))
    expect(problem).toStartWith(
      `HTTP_PROXY (${join(configDir, ".env")}:1) is not the address of an HTTP proxy`,
    )
    expect([problem.includes("secret"), more]).toEqual([false, []])
  })
})

test("passwords of proxies are secrets", () => {
  const env = { ...key, HTTPS_PROXY: "http://me:top%40secret@p:1", ALL_PROXY: "http://me:other-one@q:1" }
  const { secrets } = configFrom(env)
  expect(secrets).toContain("top@secret")
  expect(secrets).toContain("top%40secret")
  expect(secrets).toContain("other-one")
})

describe("a file of certificate authorities that cannot be used", () => {
  const broken = "-----BEGIN CERTIFICATE-----\nMIIBjunk\n-----END CERTIFICATE-----\n"
  test.each([
    ["is missing", {}, "does not exist"],
    [
      "holds none",
      { "ca.pem": "key: value\n" },
      "holds no certificate (no line -----BEGIN CERTIFICATE-----)",
    ],
    ["holds a broken one", { "ca.pem": broken }, "holds a certificate that cannot be read (number 1)"],
  ])("%s", (_what, files, why) => {
    const configDir = folderWith({ ".env": "\nNODE_EXTRA_CA_CERTS=ca.pem\n", ...files })
    const path = join(configDir, "ca.pem")
    expect(problemsOf(load({ env: key, configDir }))).toEqual([
      `NODE_EXTRA_CA_CERTS (${join(configDir, ".env")}:2): ${path} ${why}: give the path of a file with certificates in PEM form.`,
    ])
    // Bun has read the environment's own, and goes on without it.
    const result = load({ env: { ...key, NODE_EXTRA_CA_CERTS: path } })
    expect(warningsOf(result)).toEqual([`NODE_EXTRA_CA_CERTS (environment): ${path} ${why}: it is not used.`])
    expect(configOf(result).network.authorities).toBeUndefined()
  })
})

test("of headers with the same name the later one counts, in whatever case", () => {
  const merged = mergeHeaders({ "X-Team": "a", "X-Other": "b" }, { "x-team": "c" }, { "X-Team": "d" })
  expect(merged).toEqual({ "X-Team": "d", "X-Other": "b" })
})

describe("a certificate by its form", () => {
  const pem = rootCertificates[0] ?? ""
  const lines = pem.trim().split("\n")
  test.each([
    ["is whole", pem, true],
    ["with other ends of lines", lines.join("\r\n"), true],
    ["cut off", [...lines.slice(0, 5), ...lines.slice(-1)].join("\n"), false],
    ["torn", [...lines.slice(0, 5), ...lines.slice(6)].join("\n"), false],
    ["of nothing", `${lines[0]}\n${lines.at(-1)}`, false],
    ["of something else", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----", false],
    [
      "with a length of five bytes",
      `-----BEGIN CERTIFICATE-----\n${btoa("0\x85\x01\x01\x01\x01\x01x")}\n-----END CERTIFICATE-----`,
      false,
    ],
  ])("%s", (_what, text, expected) => {
    expect(isWhole(text)).toBe(expected)
  })

  test("all that are trusted have it", () => {
    expect(rootCertificates.filter((one) => !isWhole(one))).toEqual([])
  })
})
