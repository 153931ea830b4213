// Faults: the status of each kind, and the one shape a client sees.
import { expect, test } from "bun:test"
import { changed, dropped, fault, invalidRequest, toErrorBody } from "../../src/protocol/fault.ts"

test.each([
  ["invalid_request_error", 400],
  ["authentication_error", 401],
  ["billing_error", 402],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["conflict_error", 409],
  ["request_too_large", 413],
  ["rate_limit_error", 429],
  ["api_error", 500],
  ["timeout_error", 504],
  ["overloaded_error", 529],
] as const)("%s is %d unless said otherwise", (kind, status) => {
  expect(fault({ kind, source: "proxy", message: "m" })).toEqual({
    kind,
    source: "proxy",
    message: "m",
    status,
    retry: "no",
  })
  expect(fault({ kind, source: "proxy", message: "m", status: 502 }).status).toBe(502)
})

test("a client's mistake", () => {
  expect(invalidRequest("no")).toEqual({
    kind: "invalid_request_error",
    source: "client",
    status: 400,
    retry: "no",
    message: "no",
  })
})

test("the body names type, message and request; details only where there is a code", () => {
  expect(toErrorBody(invalidRequest("no"), "req_1")).toEqual({
    type: "error",
    error: { type: "invalid_request_error", message: "no" },
    request_id: "req_1",
  })
  const coded = fault({ kind: "not_found_error", source: "client", message: "no", code: "thread_not_found" })
  expect(toErrorBody(coded, "req_1").error.details).toEqual({ error_code: "thread_not_found" })
})

test("notes", () => {
  expect([dropped("a", "b"), changed("c", "d")]).toEqual([
    { kind: "dropped", path: "a", why: "b" },
    { kind: "changed", path: "c", why: "d" },
  ])
})
