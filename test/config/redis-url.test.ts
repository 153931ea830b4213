// REDIS_URL: what can be an address of a Redis, and what is said of all else.
import { afterAll, describe, expect, test } from "bun:test"
import { configFrom, configOf, folderWith, load, problemsOf, removeFolders } from "./support.ts"

afterAll(removeFolders)

const key = { OPENAI_API_KEY: "sk-upstream-key-1" }

test.each([
  "redis://localhost",
  "redis://localhost:6379",
  "redis://127.0.0.1:6379/0",
  "redis://[::1]:6379/15",
  "redis://:secret-word@redis.example:6379/",
  "redis://someone:secret%2Fword%40@redis.example:6379/2",
  "rediss://someone:a:b@redis.example",
])("%s is one", (url) => {
  expect(configFrom({ ...key, REDIS_URL: url }).redisUrl).toBe(url)
})

const example = "redis://:PASSWORD@HOST:6379/0"
const noAddress = `is not an address like ${example}; in a password write / as %2F and @ as %40.`
const noScheme = `must begin with redis:// or rediss:// (TLS), as in ${example}.`

describe("what is none is a problem, told without its password", () => {
  test.each([
    ["localhost:6379", noScheme],
    [":secret-word@localhost:6379", noScheme],
    ["http://localhost:6379", noScheme],
    ["unix:///run/redis.sock", noScheme],
    ["redis+tls://localhost", "must begin with rediss:// for a connection over TLS."],
    ["redis://", noAddress],
    ["redis://:secret-word@", noAddress],
    ["redis:///0", noAddress],
    ["redis://localhost:99999", noAddress],
    ["redis://localhost:port", noAddress],
    ["redis://:secret-word/1@localhost:6379", noAddress],
    [
      "redis://localhost/cache",
      `ends in what is not the number of a database, as the 0 in ${example} is; in a password write / as %2F.`,
    ],
    [
      "redis://localhost?db=1",
      `holds a ? or a #: write them in a password as %3F and %23, and the number of the database as ${example}.`,
    ],
    [
      "redis://:secret-word#1@localhost",
      `holds a ? or a #: write them in a password as %3F and %23, and the number of the database as ${example}.`,
    ],
  ])("%s", (url, problem) => {
    const problems = problemsOf(load({ env: { ...key, REDIS_URL: url } }))
    expect(problems).toEqual([`REDIS_URL (environment) ${problem}`])
    expect(problems.join()).not.toContain("secret-word")
  })
})

test("in models.yaml it is told with its place", () => {
  const configDir = folderWith({ "models.yaml": "cache:\n  redis_url: redis://localhost:port\nmodels: []\n" })
  expect(problemsOf(load({ env: key, configDir }))).toEqual([
    expect.stringMatching(/^REDIS_URL \(.*models\.yaml:2\) is not an address like/),
  ])
})

test.each([
  ["auth: {rate_limit: true}", 60],
  ["auth: {rate_limit: 7}", 7],
  ["auth: {rate_limit_requests_per_minute: 9}", 9],
  ["auth: {rate_limit: false}", undefined],
])("%s", (yaml, limit) => {
  const configDir = folderWith({ "models.yaml": `${yaml}\nmodels: []\n` })
  expect(configOf(load({ env: key, configDir })).rateLimitPerMinute).toBe(limit)
})

test("an unset limit is none", () => {
  expect(configFrom(key).rateLimitPerMinute).toBe(undefined)
})
