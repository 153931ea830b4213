// TLS_CERT and TLS_KEY: both or none, read and tried on each other before anything is served.
import { afterAll, describe, expect, test } from "bun:test"
import { generateKeyPairSync } from "node:crypto"
import { readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { configOf, folderWith, load, problemsOf, removeFolders } from "./support.ts"

afterAll(removeFolders)

const fixture = (name: string) => readFileSync(join(import.meta.dir, "../fixtures/tls", name), "utf8")
const certificate = fixture("server.pem")
const key = fixture("server.key")
const authority = fixture("authority.pem")

const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
const otherKey = String(other.export({ type: "pkcs8", format: "pem" }))
const lockedKey = String(
  other.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "a-word" }),
)
const otherKind = String(
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" }),
)

/** Loads from a .env beside these files, as `serve` does. */
function loaded(files: Readonly<Record<string, string>>, env: string, listens = true) {
  const configDir = folderWith({ ...files, ".env": `OPENAI_API_KEY=k-123456\n${env}` })
  return { configDir, result: load({ configDir, listens }) }
}

const both = "TLS_CERT=cert.pem\nTLS_KEY=key.pem"

test("~/ is the home folder", () => {
  const { result } = loaded({}, "TLS_CERT=~/none.pem\nTLS_KEY=key.pem")
  expect(problemsOf(result)[0]).toContain(`: ${join(homedir(), "none.pem")} does not exist: `)
})

test.each([
  ["a certificate and its key", { "cert.pem": certificate, "key.pem": key }],
  ["with its chain", { "cert.pem": certificate + authority, "key.pem": key }],
  ["both in each file", { "cert.pem": key + certificate, "key.pem": certificate + key }],
])("%s", (_, files) => {
  const { result } = loaded(files, both)
  expect(configOf(result).tls).toEqual({ certificate: files["cert.pem"], key: files["key.pem"] })
})

test("the files are among those that are watched", () => {
  const { configDir, result } = loaded({ "cert.pem": certificate, "key.pem": key }, both)
  expect([...result.seen.keys()]).toContain(join(configDir, "cert.pem"))
  expect([...result.seen.keys()]).toContain(join(configDir, "key.pem"))
})

test("neither: http", () => {
  expect(configOf(loaded({}, "").result).tls).toBeUndefined()
})

test("what does not listen does not read them: they may be the server's alone", () => {
  const { result } = loaded({}, both, false)
  expect(configOf(result).tls).toBeUndefined()
})

describe("what is wrong with them is told by setting, file and reason", () => {
  const file = (line: number) => (configDir: string) => `${join(configDir, ".env")}:${line}`
  const cert = file(2)
  const second = file(3)

  test.each<[string, Record<string, string>, string, (folder: string) => readonly string[]]>([
    [
      "only a certificate",
      { "cert.pem": certificate },
      "TLS_CERT=cert.pem",
      (folder) => [`TLS_CERT (${cert(folder)}) is set and TLS_KEY is not: set both to serve https, or none.`],
    ],
    [
      "only a key",
      { "key.pem": key },
      "TLS_KEY=key.pem",
      (folder) => [`TLS_KEY (${cert(folder)}) is set and TLS_CERT is not: set both to serve https, or none.`],
    ],
    [
      "no such files",
      {},
      both,
      (folder) => [
        `TLS_CERT (${cert(folder)}): ${folder}/cert.pem does not exist: give the path of a file in PEM form.`,
        `TLS_KEY (${second(folder)}): ${folder}/key.pem does not exist: give the path of a file in PEM form.`,
      ],
    ],
    [
      "exchanged",
      { "cert.pem": key, "key.pem": certificate },
      both,
      (folder) => [
        `TLS_CERT (${cert(folder)}): ${folder}/cert.pem holds no certificate (no line -----BEGIN CERTIFICATE-----): give one in PEM form.`,
        `TLS_KEY (${second(folder)}): ${folder}/key.pem holds no private key (no line -----BEGIN PRIVATE KEY-----): give one in PEM form.`,
      ],
    ],
    [
      "torn",
      { "cert.pem": certificate.replace("MIIB", "MII!"), "key.pem": key.replace(/\n.{20}/, "\n") },
      both,
      (folder) => [
        `TLS_CERT (${cert(folder)}): ${folder}/cert.pem holds a certificate that cannot be read: copy it again.`,
        `TLS_KEY (${second(folder)}): ${folder}/key.pem holds a private key that cannot be read: copy it again.`,
      ],
    ],
    [
      "a key with a password",
      { "cert.pem": certificate, "key.pem": lockedKey },
      both,
      (folder) => [
        `TLS_KEY (${second(folder)}): ${folder}/key.pem is protected by a password: save it without one (openssl pkey -in FILE -out NEW), readable by its owner alone.`,
      ],
    ],
    ...[otherKey, otherKind].map((wrong): [string, Record<string, string>, string, typeof mismatch] => [
      "a key of another certificate",
      { "cert.pem": certificate, "key.pem": wrong },
      both,
      mismatch,
    ]),
    [
      "the authority before the server's own",
      { "cert.pem": authority + certificate, "key.pem": key },
      both,
      mismatch,
    ],
  ])("%s", (_, files, env, expected) => {
    const { configDir, result } = loaded(files, env)
    expect(problemsOf(result)).toEqual(expected(configDir))
    expect(JSON.stringify(problemsOf(result))).not.toContain(key.split("\n")[1] ?? "?")
  })

  function mismatch(folder: string): readonly string[] {
    const files = `${folder}/key.pem is not the private key of ${folder}/cert.pem`
    return [
      `TLS_KEY (${second(folder)}): ${files}: give the two that were made together; of several certificates in the file the server's own comes first.`,
    ]
  }
})

describe("ALLOWED_HOSTS and SHUTDOWN_TIMEOUT", () => {
  const withSettings = (env: Readonly<Record<string, string>>) =>
    load({ env: { OPENAI_API_KEY: "k-123456", ...env } })

  test("names are compared in lower case", () => {
    const config = configOf(withSettings({ ALLOWED_HOSTS: "Proxy.Example, *.box ,[FD00::1],192.168.1.4,*" }))
    expect(config.allowedHosts).toEqual(["proxy.example", "*.box", "[fd00::1]", "192.168.1.4", "*"])
  })

  test.each(["http://proxy.example", "proxy.example:8082", "a b", "*.", "a.*.b", "-/"])(
    "%j is no name",
    (name) => {
      expect(problemsOf(withSettings({ ALLOWED_HOSTS: `good.example,${name}` }))).toEqual([
        `ALLOWED_HOSTS (environment) holds ${JSON.stringify(name)}: give names as in proxy.example, without http:// and without a port; *.example allows all below it, * every name.`,
      ])
    },
  )

  test("seconds, also none and parts of one", () => {
    const ms = (text: string) => configOf(withSettings({ SHUTDOWN_TIMEOUT: text })).shutdownTimeoutMs
    expect(["0", "0.25", "600"].map(ms)).toEqual([0, 250, 600_000])
    expect(problemsOf(withSettings({ SHUTDOWN_TIMEOUT: "-1" })).length).toBe(1)
  })
})
