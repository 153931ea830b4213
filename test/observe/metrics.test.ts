import { describe, expect, test } from "bun:test"
import { createMetrics, fieldOf } from "../../src/observe/metrics.ts"
import { changed, dropped } from "../../src/protocol/fault.ts"

describe("the field of a note", () => {
  test.each([
    ["max_tokens", "max_tokens"],
    ["messages.12.content.3", "messages.content"],
    ["messages.0.content.1.content.2", "messages.content.content"],
    ["tools.4.input_schema.properties.secret name.const", "tools.input_schema"],
    ["tools.4.strict", "tools.strict"],
    ["output_config.format.schema.properties.x", "output_config.format.schema"],
    ["a.b.c.d.e", "a.b.c"],
  ])("%s: %s", (path, field) => {
    expect(fieldOf(path)).toBe(field)
  })
})

describe("counts", () => {
  test("by provider, field and what was done", () => {
    const metrics = createMetrics()
    metrics.recordNotes("groq", [dropped("top_k", "no"), changed("tools.0.input_schema.x", "no")])
    metrics.recordNotes("groq", [dropped("top_k", "no"), changed("tools.7.input_schema.y.z", "no")])
    metrics.recordNotes("openai", [dropped("top_k", "no")])
    expect(metrics.render().split("\n")).toEqual([
      expect.stringMatching(/^# HELP claude_proxy_request_fields_total /),
      "# TYPE claude_proxy_request_fields_total counter",
      'claude_proxy_request_fields_total{provider="groq",field="top_k",action="dropped"} 2',
      'claude_proxy_request_fields_total{provider="groq",field="tools.input_schema",action="changed"} 2',
      'claude_proxy_request_fields_total{provider="openai",field="top_k",action="dropped"} 1',
      "",
    ])
  })

  test("names that a client makes up do not grow without end, and cannot break a line", () => {
    const metrics = createMetrics()
    for (let count = 0; count < 2_000; count++)
      metrics.recordNotes("x", [dropped(`field_${count}"\n\\`, "no")])
    const lines = metrics.render().trimEnd().split("\n")
    expect(lines.length).toBe(503)
    expect(lines[2]).toBe(
      'claude_proxy_request_fields_total{provider="x",field="field_0\\"\\n\\\\",action="dropped"} 1',
    )
    expect(lines.at(-1)).toBe(
      'claude_proxy_request_fields_total{provider="x",field="other",action="dropped"} 1500',
    )
  })
})
