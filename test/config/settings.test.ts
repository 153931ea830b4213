import { expect, test } from "bun:test"
import { settings } from "../../src/config/settings/settings.ts"
import { providers } from "../../src/providers/table.ts"
import { configFrom } from "./support.ts"

test("every name stands in the table once, every provider's key variable too", () => {
  const names = settings.map((setting) => setting.name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  expect(providers.flatMap((row) => row.keyNames).filter((name) => !names.includes(name))).toEqual([])
})

test("the defaults written in the table are the ones in force", () => {
  const config = configFrom({ OPENAI_API_KEY: "k-123456" })
  expect({ ...config, upstream: config.upstream.baseUrl, others: Object.keys(config.others) }).toEqual({
    host: "127.0.0.1",
    port: 8082,
    tls: undefined,
    allowedHosts: [],
    shutdownTimeoutMs: 10_000,
    logLevel: "INFO",
    logFormat: "json",
    logFolder: undefined,
    logRetentionDays: 3,
    upstream: "https://api.openai.com/v1",
    others: ["ollama", "lmstudio", "vllm", "llamacpp"],
    tiers: { big: "gpt-4o", middle: "gpt-4o", small: "gpt-4o-mini" },
    router: { default: undefined, background: undefined, think: undefined, longContext: undefined },
    longContextThreshold: 128_000,
    promptTuning: false,
    models: [],
    defaultPrices: undefined,
    defaultMaxTokens: 8192,
    minTokensLimit: 1,
    maxTokensLimit: undefined,
    requestTimeoutMs: 300_000,
    maxRetries: 2,
    estimateTokens: true,
    maxBodyBytes: 67_108_864,
    maxConcurrentRequests: undefined,
    rateLimitPerMinute: undefined,
    redisUrl: undefined,
    cache: { enabled: false, ttlMs: undefined, maxBytes: 268_435_456 },
    statsEnabled: true,
    network: { https: undefined, http: undefined, byProvider: {}, direct: [], authorities: undefined },
    clientKeys: [],
    secrets: ["k-123456"],
  })
})
