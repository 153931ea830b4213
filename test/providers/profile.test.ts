import { describe, expect, test } from "bun:test"
import { applyDelta, baseProfile } from "../../src/providers/base-profile.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"

describe("a delta", () => {
  test("of nothing changes nothing", () => {
    expect(applyDelta(baseProfile, {})).toEqual(baseProfile)
  })

  test("replaces plain values and merges records", () => {
    const first = applyDelta(baseProfile, {
      ...{ maxTokensField: "max_completion_tokens", headers: { a: "1" }, clamp: { temperature: [0, 1] } },
      ...{ stopReasons: { eos: "end_turn" }, hosts: ["one.test"] },
      reasoning: { request: "effort", levels: { off: "none", low: "low" } },
      toolChoice: { any: "auto" },
    })
    const second = applyDelta(first, {
      ...{
        headers: { b: "2" },
        clamp: { top_p: [0.1, 1] },
        stopReasons: { abort: "end_turn" },
        hosts: ["two.test"],
      },
      reasoning: { levels: { high: "high" } },
      toolChoice: { named: "auto" },
    })
    expect(second).toEqual({
      ...baseProfile,
      ...{ maxTokensField: "max_completion_tokens", hosts: ["two.test"], headers: { a: "1", b: "2" } },
      clamp: { temperature: [0, 1], top_p: [0.1, 1] },
      stopReasons: { eos: "end_turn", abort: "end_turn" },
      reasoning: { ...baseProfile.reasoning, request: "effort", levels: { high: "high" } },
      toolChoice: { ...baseProfile.toolChoice, any: "auto", named: "auto" },
    })
  })

  test.each<[ProfileDelta, readonly string[]]>([
    [{ drop: ["temperature"] }, ["top_k", "service_tier", "temperature"]],
    [{ drop: ["top_k"] }, ["top_k", "service_tier"]],
    [{ allow: ["top_k"] }, ["service_tier"]],
    [{ allow: ["temperature"] }, ["top_k", "service_tier"]],
    [{ drop: ["stop"], allow: ["stop", "top_k"] }, ["service_tier"]],
  ])("%j leaves this to be dropped: %j", (delta, expected) => {
    const profile = applyDelta(baseProfile, delta)
    expect<readonly string[]>(profile.drop).toEqual([...expected])
    expect("allow" in profile).toBe(false)
  })

  test("writes into neither the profile nor itself", () => {
    const delta: ProfileDelta = {
      ...{ drop: ["stop"], allow: ["top_k"], headers: { a: "1" }, clamp: { top_p: [0, 1] } },
      ...{ reasoning: { request: "effort" }, toolChoice: { any: "auto" }, stopReasons: { a: "end_turn" } },
    }
    const before = JSON.stringify([baseProfile, delta])
    const once = applyDelta(deepFreeze(baseProfile), deepFreeze(delta))
    expect(applyDelta(once, delta)).toEqual(once)
    expect(JSON.stringify([baseProfile, delta])).toBe(before)
  })
})

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
