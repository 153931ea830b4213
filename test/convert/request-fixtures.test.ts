// The requests Claude Code and the SDK really send, and the exact bodies that each provider gets for them.
import { describe, expect, test } from "bun:test"
import { convertRequest } from "../../src/convert/request/request.ts"
import { sessionOf } from "../../src/convert/request/session.ts"
import { noteUnknownFields } from "../../src/convert/request/unknown-fields.ts"
import type { ChatRequest } from "../../src/protocol/chat/chat.ts"
import { objectOf } from "../../src/protocol/json.ts"
import {
  deepseek,
  generic,
  gpt4o,
  gpt5,
  limits,
  ollama,
  parse,
  readFixture,
  routeTo,
  type Target,
} from "./request-support.ts"

const azure: Target = ["azure", "gpt-5.6"]

/** The body in its own order of fields, one line each; lists with one line for each item. */
function bodyLines(body: ChatRequest): readonly string[] {
  return Object.entries(body).flatMap(([field, value]) =>
    Array.isArray(value)
      ? [`${field}:`, ...value.map((item) => `  ${JSON.stringify(item)}`)]
      : [`${field}: ${JSON.stringify(value)}`],
  )
}

describe("exact bodies", () => {
  test.each<[string, Target]>([
    ["claude-code-first", gpt4o],
    ["claude-code-first", azure],
    ["claude-code-first", deepseek],
    ["claude-code-tool-search", gpt5],
    ["claude-code-tool-search", deepseek],
    ["claude-code-tool-search", ollama],
    ["claude-code-media", gpt4o],
    ["claude-code-media", deepseek],
    ["claude-code-media", generic],
    ["claude-code-title", gpt5],
    ["claude-code-title", deepseek],
    ["claude-code-haiku", gpt4o],
    ["claude-code-haiku", deepseek],
    ["claude-code-subagent", gpt5],
    ["claude-code-subagent", ollama],
    ["sdk-vision", gpt4o],
    ["sdk-vision", deepseek],
    ["sdk-vision", ollama],
  ])("%s to %p", async (name, target) => {
    const raw = await readFixture(name)
    const request = parse(raw)
    const route = routeTo(target)
    const { body, notes } = convertRequest(request, route, limits, sessionOf(request))
    const remarks = [...noteUnknownFields(objectOf(raw), route.profile), ...notes].map(
      ({ kind, path, why }) => `${kind} ${path}: ${why}`,
    )
    expect([...bodyLines(body), ...remarks].join("\n")).toMatchSnapshot()
  })
})
