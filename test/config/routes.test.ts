// Routes that were found before: only where the name alone decides.
import { describe, expect, test } from "bun:test"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { createRoutes } from "../../src/config/routes/routes.ts"
import { configFrom } from "./support.ts"

const plain = configFrom({ OPENAI_API_KEY: "o" })
const byContent = configFrom({ OPENAI_API_KEY: "o", ROUTER_THINK: "gpt-5" })

describe("a name that leads somewhere", () => {
  test("is known once it was resolved, and leads to the very same route", () => {
    const routes = createRoutes(plain)
    expect(routes.known("claude-opus-4-8")).toBeUndefined()
    const resolved = routes.resolve("claude-opus-4-8")
    expect(resolved).toEqual(resolveRoute(plain, "claude-opus-4-8"))
    expect(routes.known("claude-opus-4-8")).toBe(resolved)
    expect(routes.resolve("claude-opus-4-8", { thinking: true })).toBe(resolved)
  })

  test("is known also where there is none", () => {
    const routes = createRoutes(plain)
    const resolved = routes.resolve(undefined)
    expect([routes.known(undefined), routes.known("")]).toEqual([resolved, resolved])
  })

  test.each<[string, Parameters<ReturnType<typeof createRoutes>["resolve"]>]>([
    ["this very model is meant", ["claude-opus-4-8", { exact: true }]],
    ["another dialect is wished for", ["claude-opus-4-8", { dialect: "responses" }]],
    ["the name is as long as nobody's", ["m".repeat(201)]],
  ])("is resolved each time where %s", (_name, [model, request]) => {
    const routes = createRoutes(plain)
    expect(routes.resolve(model, request)).toEqual(resolveRoute(plain, model, request))
    expect(routes.known(model)).toBeUndefined()
  })

  test("is resolved each time where what is asked decides", () => {
    const routes = createRoutes(byContent)
    const models = [true, false].map((thinking) => {
      const resolved = routes.resolve("claude-opus-4-8", { thinking })
      return resolved.ok && resolved.route.model
    })
    expect(models).toEqual(["gpt-5", "gpt-4o"])
    expect(routes.known("claude-opus-4-8")).toBeUndefined()
  })

  test("is forgotten with all the others when clients make up too many", () => {
    const routes = createRoutes(plain)
    for (let count = 0; count < 500; count++) routes.resolve(`m${count}`)
    expect(routes.known("m0")).toBeDefined()
    routes.resolve("one more")
    expect([routes.known("m0"), routes.known("one more")].map(Boolean)).toEqual([false, true])
  })
})
