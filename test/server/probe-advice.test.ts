// Advice where the address is the provider's own: nobody has set it, and no setting is to be corrected.
import { expect, test } from "bun:test"
import { advices } from "../../src/server/probe/advice.ts"
import { type Facts, localServer } from "../../src/server/probe/facts.ts"
import { targetsOf } from "../../src/server/probe/target.ts"
import { configFrom } from "../config/support.ts"

const facts: Facts = {
  failure: { status: 502, type: "api_error", message: "" },
  model: "m",
  host: "api.vendor.example",
  origin: "https://api.vendor.example",
  base: "https://api.vendor.example/v1",
  address: undefined,
  rename: "set BIG_MODEL",
  keyName: "VENDOR_API_KEY",
  hasKey: true,
  azure: false,
  proxySetting: undefined,
  server: undefined,
  sight: {},
}

function advise(message: string, more: Partial<Facts> = {}): string {
  const all = { ...facts, ...more, failure: { ...facts.failure, message } }
  return advices.find(({ when }) => when(all))?.say(all) ?? ""
}

test.each<[string, Partial<Facts>, string]>([
  [
    "the upstream has no such endpoint",
    { sight: { base: "https://api.vendor.example/v2" } },
    "https://api.vendor.example/v2 answers in place of https://api.vendor.example/v1, where this provider was served: see whether there is a newer version of claude-proxy, or try again later",
  ],
  [
    "answered with an HTML page instead of JSON",
    {},
    "nothing answers in place of https://api.vendor.example/v1, where this provider was served: see whether there is a newer version of claude-proxy, or try again later",
  ],
  [
    "redirects to https://new.example/v1",
    {},
    "https://api.vendor.example/v1 is where this provider was served: see whether there is a newer version of claude-proxy, or try again later",
  ],
  [
    "there is no TLS at api.vendor.example",
    {},
    "check what answers for api.vendor.example here, if a proxy stands in the way",
  ],
  [
    "the certificate is for another host",
    {},
    "check what answers for api.vendor.example here: it has no certificate for that name",
  ],
  [
    "the host was not found",
    {},
    "check this machine's network, DNS and VPN: api.vendor.example is where this provider is served",
  ],
  ["connection refused", {}, "nothing listens at https://api.vendor.example: start the server"],
  [
    "connection refused",
    { server: localServer("ollama"), origin: "http://localhost:11434" },
    "nothing listens at http://localhost:11434: start it (ollama serve)",
  ],
  [
    "the connection to x broke",
    {},
    "check whether a firewall or a VPN stands in the way to api.vendor.example",
  ],
  [
    "the connection to x broke",
    { base: "http://localhost:1234/v1", sight: { tls: true } },
    "http://localhost:1234/v1 should begin with https://: https://localhost:1234/v1",
  ],
])("%s", (message, more, expected) => {
  expect(advise(message, more)).toBe(expected)
})

test("the address of a provider that is known is nobody's setting", () => {
  const [target] = targetsOf(configFrom({ DEEPSEEK_API_KEY: "k-0001" }), false)
  expect([target?.name, target?.addressSetting]).toEqual(["deepseek-v4-pro", undefined])
})
