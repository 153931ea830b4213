import { describe, expect, test } from "bun:test"
import { baseProfile } from "../../src/providers/base-profile.ts"
import { findProvider, providerForUrl, providers, resolveProfile } from "../../src/providers/table.ts"

describe("the rows", () => {
  test("have ids of their own, and a generic one is among them", () => {
    const ids = providers.map((row) => row.id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual([
      ...["openai", "azure", "deepseek", "moonshot", "kimi", "zhipu", "zai", "minimax", "gemini", "ark"],
      ...["dashscope", "openrouter", "groq", "mistral", "xai", "siliconflow", "together", "fireworks"],
      ...["cerebras", "ollama", "lmstudio", "vllm", "llamacpp", "copilot", "anthropic", "demo", "generic"],
    ])
  })

  test.each(providers.map((row) => [row.id, row] as const))("%s is complete", (id, row) => {
    expect(findProvider(id)).toBe(row)
    expect(row.source.length).toBeGreaterThan(5)
    const profile = resolveProfile(row, row.tiers?.big ?? "some-model")
    expect(
      Object.keys(profile)
        .filter((key) => key !== "allow")
        .toSorted(),
    ).toEqual(Object.keys(baseProfile).toSorted())
    // A field is refused or known to be taken, never both.
    expect(profile.drop.includes("top_k")).toBe(!(row.delta.allow ?? []).includes("top_k"))
    // A server at a port that many use is known by its name alone.
    const hasAddress = row.delta.hosts !== undefined || row.port !== undefined
    if (row.baseUrl !== null && hasAddress) expect(providerForUrl(new URL(row.baseUrl)).id).toBe(id)
    for (const url of row.native === null || !hasAddress ? [] : [row.native])
      expect(providerForUrl(new URL(url)).id).toBe(id)
    for (const host of row.delta.hosts ?? []) expect(host).toMatch(/^\.?([a-z0-9-]+\.)+[a-z]+$/)
    for (const name of row.keyNames) expect(name).toMatch(/^[A-Z_]+_API_KEY$/)
    for (const rule of row.models) expect(rule.match.global).toBe(false)
  })

  test("an unknown id is no row", () => {
    expect(findProvider("nobody")).toBe(undefined)
    expect(findProvider("constructor")).toBe(undefined)
  })

  test("a profile is made anew each time, and leaves base and rows as they were", () => {
    const before = JSON.stringify([baseProfile, providers])
    for (const row of providers) {
      for (const model of ["gpt-5.6", "o3", "deepseek-v4-pro", "kimi-k2.5", "x"]) resolveProfile(row, model)
    }
    expect(JSON.stringify([baseProfile, providers])).toBe(before)
  })
})

describe("which provider a URL leads to", () => {
  test.each([
    ["https://api.openai.com/v1", "openai"],
    ["https://API.OpenAI.com/v1", "openai"],
    ["https://api.openai.com:8443/proxy/v1", "openai"],
    ["https://eu.api.openai.com/v1", "openai"],
    ["https://me.openai.azure.com/openai/v1/", "azure"],
    ["https://me.openai.azure.com/openai/deployments/gpt-4o", "azure"],
    ["https://me.services.ai.azure.com/openai/v1", "azure"],
    ["https://me.cognitiveservices.azure.com/openai/v1", "azure"],
    ["https://api.deepseek.com", "deepseek"],
    ["https://api.deepseek.com/beta", "deepseek"],
    ["http://localhost:11434/v1", "ollama"],
    ["http://192.168.0.7:11434/v1", "ollama"],
    ["http://localhost:8000/v1", "generic"],
    ["https://relay.example/v1", "generic"],
    // Hosts that only look like one of the above.
    ["https://evil-api.openai.com.attacker.net/v1", "generic"],
    ["https://api.openai.com.attacker.net/v1", "generic"],
    ["https://evilapi.openai.com/v1", "generic"],
    ["https://notopenai.azure.com/openai/v1", "generic"],
    ["https://openai.azure.com/v1", "generic"],
    ["https://me.openai.azure.com.attacker.net/v1", "generic"],
    ["https://attacker.net/api.openai.com/v1", "generic"],
    ["https://attacker.net/?host=api.openai.com", "generic"],
    ["https://api.openai.com@attacker.net/v1", "generic"],
    ["https://api.deepseek.com.cn/v1", "generic"],
    ["https://xapi.deepseek.com/v1", "generic"],
    ["http://localhost:1143/v1", "generic"],
  ])("%s: %s", (url, id) => {
    expect(providerForUrl(new URL(url)).id).toBe(id)
  })
})
