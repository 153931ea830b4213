// Which answers are counted as refusals, and that nothing is counted twice.
import { describe, expect, test } from "bun:test"
import { createMetrics } from "../../src/observe/metrics.ts"
import { countRunning, createMeter } from "../../src/server/figures/meter.ts"
import { exchange } from "../support/exchanges.ts"
import { figure } from "../support/prometheus.ts"

function meter() {
  const metrics = createMetrics()
  const counted = (labels: Readonly<Record<string, string>> = {}) =>
    figure(metrics.render(), "claude_proxy_requests_total", labels)
  return { ...createMeter(metrics), counted }
}

const request = (method: string, signal?: AbortSignal): Request =>
  new Request("http://localhost/", { method, ...(signal === undefined ? {} : { signal }) })

describe("an answer without a reply", () => {
  test.each([
    ["POST", 200, undefined],
    ["POST", 400, 1],
    ["POST", 413, 1],
    ["POST", 429, 1],
    ["POST", 500, 1],
    ["POST", 503, 1],
    ["POST", 529, 1],
    ["GET", 200, undefined],
    ["GET", 207, undefined],
    ["GET", 401, 1],
    ["GET", 404, 1],
    ["GET", 405, 1],
    ["GET", 500, 1],
    // It drains, or an upstream is down: this is what was asked.
    ["GET", 503, undefined],
    ["HEAD", 503, undefined],
  ])("%s %d: %p", (method, status, count) => {
    const { began, answered, counted } = meter()
    began("a")
    answered(request(method), "a", new Response(null, { status }))
    expect(counted({ model: "none", status: String(status) })).toBe(count)
    expect(counted()).toBe(count)
  })

  test("nobody waited for it any more", () => {
    const { began, answered, counted } = meter()
    began("a")
    answered(request("POST", AbortSignal.abort()), "a", new Response(null, { status: 400 }))
    expect(counted({ status: "cancelled" })).toBe(1)
    expect(counted()).toBe(1)
  })
})

test("what has an Exchange is counted by it alone, whether it ends before its answer or after", () => {
  const { began, record, answered, counted } = meter()
  for (const requestId of ["a", "b"]) began(requestId)
  record(exchange({ requestId: "a" }))
  answered(request("POST"), "a", new Response(null, { status: 502 }))
  answered(request("POST"), "b", new Response(null, { status: 200 }))
  record(exchange({ requestId: "b" }))
  expect(counted({ model: "gpt-4o" })).toBe(2)
  expect(counted()).toBe(2)
})

test("what is under way", () => {
  const running = [true, false, false].map((stream) => ({ facts: { stream } }))
  expect(countRunning(new Set(running))).toEqual({ requests: 3, streams: 1 })
})
