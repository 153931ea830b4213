import { describe, expect, test } from "bun:test"
import { mapToolId, mapToolName } from "../../src/convert/dialogue/names.ts"
import { property } from "../support/random.ts"

const upTo = (toolNameMaxLength: number, toolNameLetterFirst = false) => {
  return { toolNameMaxLength, toolNameLetterFirst }
}

describe("tool names", () => {
  test("begin with a letter where a provider wants that", () => {
    expect(mapToolName("1password__get", upTo(64, true))).toMatch(/^t_1password__get_[0-9a-f]{8}$/)
    expect(mapToolName("_private", upTo(64, true))).toMatch(/^t__private_[0-9a-f]{8}$/)
    expect(mapToolName("Bash", upTo(64, true))).toBe("Bash")
  })

  test.each([
    ["Bash", 64, "Bash"],
    ["mcp__server__tool-1", 64, "mcp__server__tool-1"],
    ["n".repeat(64), 64, "n".repeat(64)],
    ["n".repeat(65), 64, `${"n".repeat(55)}_`],
    ["mcp__a.b/c", 64, "mcp__a_b_c_"],
    ["naïve", 64, "na_ve_"],
    ["", 64, "_"],
  ])("%s in %d characters", (name, max, start) => {
    const mapped = mapToolName(name, upTo(max))
    expect(mapped).toStartWith(start)
    if (mapped !== name) expect(mapped.slice(start.length)).toMatch(/^[0-9a-f]{8}$/)
  })

  property("are short, plain, stable and different for different names", 500, (random) => {
    const [left, right] = [random.text(90), random.text(90)]
    const mapped = mapToolName(left, upTo(64))
    expect(mapped).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
    expect(mapToolName(left, upTo(64))).toBe(mapped)
    expect(mapToolName(mapped, upTo(64))).toBe(mapped)
    expect(mapToolName(right, upTo(64)) === mapped).toBe(left === right)
  })
})

const call = { name: "Bash", count: 0 }
const any = (toolIdMaxLength: number) => ({ toolIds: "any", toolIdMaxLength }) as const

describe("call ids", () => {
  test.each([
    ["toolu_01ABCdef", 40],
    ["call_00_x-y", 40],
    ["i".repeat(40), 40],
  ])("%s stays", (id, max) => {
    expect(mapToolId(id, any(max), call)).toBe(id)
  })

  test.each([
    ["functions.Bash:0", 40],
    ["i".repeat(41), 40],
    ["a b", 64],
    ["", 40],
  ])("%p is replaced, by the same id each time", (id, max) => {
    const mapped = mapToolId(id, any(max), call)
    expect(mapped).toMatch(/^call_[0-9a-f]{32}$/)
    expect(mapToolId(id, any(max), call)).toBe(mapped)
  })

  test("ids of a family stay apart", () => {
    const ids = Array.from({ length: 2000 }, (_, index) =>
      mapToolId(`functions.Bash:${index}`, any(40), call),
    )
    expect(new Set(ids).size).toBe(2000)
  })

  test("the tool's name and a count, where the model reads its calls by them", () => {
    const counted = { toolIds: "counted", toolIdMaxLength: 64 } as const
    expect(mapToolId("toolu_1", counted, { name: "Bash", count: 12 })).toBe("functions.Bash:12")
  })

  test("nine letters and digits, where a provider wants that", () => {
    const nine = { toolIds: "alnum9", toolIdMaxLength: 9 } as const
    const ids = Array.from({ length: 2000 }, (_, index) => mapToolId(`functions.Bash:${index}`, nine, call))
    for (const id of ids) expect(id).toMatch(/^[a-z0-9]{9}$/)
    expect(new Set(ids).size).toBe(2000)
    expect(mapToolId("aBc123XYZ", nine, call)).toBe("aBc123XYZ")
    expect(mapToolId("call_0", nine, call)).toBe(mapToolId("call_0", nine, call))
  })
})
