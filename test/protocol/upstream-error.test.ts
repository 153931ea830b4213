// What becomes of an upstream's error: exact status, type and words, and who may try again.
import { describe, expect, test } from "bun:test"
import { namedStatus } from "../../src/protocol/errors/named-status.ts"
import { faultFromError, faultFromJson, isErrorJson } from "../../src/protocol/errors/upstream-error.ts"
import { errorContext } from "../support/fixtures.ts"
import { property } from "../support/random.ts"

const faultOf = (status: number, body: string, context = errorContext) =>
  faultFromError({ status, header: () => null, body }, context)

describe("treacherous cases", () => {
  test("case 76: a wrong key and an empty account are final", () => {
    expect(faultOf(401, "")).toMatchObject({ status: 401, finalForClient: true, retry: "no" })
    const quota = JSON.stringify({ error: { message: "no", code: "insufficient_quota" } })
    expect(faultOf(429, quota)).toMatchObject({ status: 402, finalForClient: true, retry: "no" })
  })

  test("case 78: an HTML page is short text, and an empty 400 on a huge prompt means that it is too long", () => {
    const page = `<html><script>var a = "<b>"</script><h1>Bad   Gateway</h1>${"<p>x</p>".repeat(1000)}</html>`
    const { message } = faultOf(502, page)
    expect(message).toStartWith("[generic] Bad Gateway x x")
    expect(message.length).toBeLessThan(520)
    expect(faultOf(400, "", { ...errorContext, inputTokens: () => 90_000 }).message).toBe(
      "prompt is too long: 90000 tokens > 89999 maximum",
    )
  })

  test("case 79: a 404 is the model's only when it says so", () => {
    for (const body of [
      "",
      "404 page not found",
      '{"detail":"Not Found"}',
      '{"error":{"message":"Invalid URL (POST /v1/v1/chat)"}}',
    ]) {
      expect(faultOf(404, body)).toMatchObject({ status: 502, kind: "api_error", finalForClient: true })
    }
    for (const body of [
      "no model test-model here",
      '{"error":{"code":"model_not_found","message":"no"}}',
      "Not found the model x or Permission denied",
    ]) {
      expect(faultOf(404, body)).toMatchObject({ status: 404, kind: "not_found_error" })
    }
    expect(faultOf(404, "", { ...errorContext, model: "" })).toMatchObject({ status: 502 })
    expect(faultOf(404, "go3 nowhere", { ...errorContext, model: "o3" })).toMatchObject({ status: 502 })
  })

  test.each([
    [400, "You uploaded an unsupported image. Please make sure your image is valid."],
    [400, '{"error":{"message":"Invalid image.","code":"image_parse_error"}}'],
    [400, "messages.1.content.19.image.source.base64.data: Image format image/png not supported"],
    [400, "The image data you provided does not represent a valid image. Please check your input"],
    [400, '[{"error":{"code":400,"message":"Unable to process input image.","status":"INVALID_ARGUMENT"}}]'],
    [500, "cannot identify image file <_io.BytesIO object at 0x7f00>"],
    [422, "Image, 'data:image/png;base64,aGk=', could not be loaded as a valid image."],
    [400, "The image length and width do not meet the model restrictions. [height:1 or width:1]"],
    [400, "API 调用参数有误，图片输入格式/解析错误"],
    [400, "At most 1 image(s) may be provided in one prompt."],
    [400, "Too many images provided. This model supports up to 5 images"],
  ])(
    "%i: a picture that is not taken is told as Anthropic tells it, for Claude Code to leave it out: %s",
    (status, body) => {
      const { message, ...given } = faultOf(status, body)
      expect(given).toMatchObject({ status: 400, kind: "invalid_request_error", retry: "no" })
      expect(message).toStartWith("Could not process image ([generic] ")
    },
  )

  test.each([
    "This model does not support image input; failed to load image",
    "image input is not supported - hint: you may need to provide the mmproj",
    "Invalid image_url: only base64 is taken",
    "At most 0 image(s) may be provided in one prompt.",
  ])("what takes no pictures at all, or not this way, says nothing of one: %s", (said) => {
    expect(faultOf(400, said).message).toBe(`[generic] ${said}`)
  })

  test("so is a PDF", () => {
    const said = "The document has no pages."
    const error = { code: 400, message: said, status: "INVALID_ARGUMENT" }
    expect(faultOf(400, JSON.stringify([{ error }])).message).toBe(
      `Could not process PDF ([generic] ${said})`,
    )
  })

  test("a 400 that mentions a model is not always about its name", () => {
    expect(faultOf(400, "This model does not support images; file not found")).toMatchObject({ status: 400 })
    expect(faultOf(400, "The model `x` is not available")).toMatchObject({ status: 404 })
  })

  test.each([
    [400, 400, "invalid_request_error", "no"],
    [402, 402, "billing_error", "no"],
    [403, 403, "permission_error", "no"],
    [405, 502, "api_error", "no"],
    [408, 504, "timeout_error", "before-first-byte"],
    [409, 409, "conflict_error", "before-first-byte"],
    [413, 413, "request_too_large", "no"],
    [415, 502, "api_error", "no"],
    [418, 400, "invalid_request_error", "no"],
    [422, 400, "invalid_request_error", "no"],
    [424, 502, "api_error", "before-first-byte"],
    [425, 504, "timeout_error", "before-first-byte"],
    [429, 429, "rate_limit_error", "before-first-byte"],
    [451, 400, "invalid_request_error", "no"],
    [498, 529, "overloaded_error", "before-first-byte"],
    [499, 504, "timeout_error", "before-first-byte"],
    [500, 500, "api_error", "before-first-byte"],
    [502, 502, "api_error", "before-first-byte"],
    [503, 529, "overloaded_error", "before-first-byte"],
    [504, 504, "timeout_error", "before-first-byte"],
    [521, 502, "api_error", "before-first-byte"],
    [529, 529, "overloaded_error", "before-first-byte"],
  ] as const)("%d alone is %d %s", (status, expected, kind, retry) => {
    expect(faultOf(status, "")).toMatchObject({
      status: expected,
      kind,
      retry,
      message: expect.stringContaining(String(status)),
    })
  })
})

test("no key leaves, whatever shape the error has", () => {
  const context = { ...errorContext, secrets: ["my-very-secret"] }
  const words = "my-very-secret and sk-abcdefgh12345678"
  const bodies: readonly unknown[] = [
    words,
    { error: { message: words } },
    { error: words },
    { detail: [{ loc: ["a"], msg: words }] },
    { error: { odd: words } },
    { error: { message: "x", metadata: { raw: words } } },
    { error: { message: `prompt is too long ${words}` } },
  ]
  for (const status of [400, 401, 404, 500]) {
    for (const body of bodies) {
      const { message } = faultOf(status, typeof body === "string" ? body : JSON.stringify(body), context)
      expect(message).not.toContain("my-very-secret")
      expect(message).not.toContain("sk-abcdefgh")
      expect(message).toContain("[redacted]")
    }
  }
})

test.each([
  ["plain text", "the key my-very-secr", "[generic] the key [redacted]"],
  ["JSON", '{"error":{"message":"my-very-secre', '[generic] {"error":{"message":"[redacted]'],
])("a body that breaks off within a key: %s", (_kind, body, message) => {
  expect(faultOf(500, body, { ...errorContext, secrets: ["my-very-secret"] }).message).toBe(message)
})

test("a message that repeats the prompt is cut", () => {
  expect(
    faultOf(400, JSON.stringify({ error: { message: "x".repeat(100_000) } })).message.length,
  ).toBeLessThan(2100)
})

test.each([
  [{ choices: [] }, false],
  [{ choices: [{ delta: {} }], error: null }, false],
  [{ choices: [{ delta: {} }], error: {} }, false],
  [{ choices: [{ delta: {} }], error: "" }, false],
  [{ choices: [{ delta: {} }], error: { message: "x" } }, true],
  [{ error: "x" }, true],
  [{ error: true, message: "x" }, true],
  [{ object: "error", message: "x" }, true],
  [{ type: "error", error: { type: "overloaded_error", message: "x" } }, true],
  [[{ error: { message: "x" } }], true],
  [{ code: 20012, message: "x", data: null }, true],
  [{ code: 0, message: "ok" }, false],
  [{ code: "InvalidParameter", msg: "x" }, true],
  [{ error_code: 17, error_msg: "x" }, true],
  [{ status: 404, title: "Not Found" }, true],
  [{ detail: "x" }, true],
  [{ message: "x", type: "server_error" }, true],
  [{ message: "x", __type: "ThrottlingException" }, true],
  [{ message: "x", success: false }, true],
  [{ message: "x", success: true }, false],
  [{ status: "failure", message: "x" }, true],
  [{ status: "success", message: "x" }, false],
  [{ message: "x", statusCode: 500 }, true],
  [{ errors: [{ message: "x" }] }, true],
  [{ errors: { message: "x" } }, true],
  [{ errors: [] }, false],
  [{ errors: null, message: "x" }, false],
  [{ error: [{ code: 2001, message: "x" }] }, true],
  [{ choices: [{ delta: {} }], error: [] }, false],
  [{ choices: [{ delta: {} }], errors: [{ message: "x" }] }, false],
  [{ type: "message_start", message: { type: "message" } }, false],
  [{ base_resp: { status_code: 1004, status_msg: "x" }, choices: null }, true],
  [{ base_resp: { status_code: 0 } }, false],
  [[], false],
  [null, false],
  ["error", false],
])("%j is an error: %p", (value, expected) => {
  expect(isErrorJson(value)).toBe(expected)
})

test("code words stand for a status", () => {
  const words: readonly (readonly [string, number | undefined])[] = [
    ["rate_limit_exceeded", 429],
    ["resource_exhausted", 429],
    ["overloaded_error", 529],
    ["authentication_error", 401],
    ["invalid_request_error", 400],
    ["invalidparameter", 400],
    ["server_error", undefined],
  ]
  for (const [word, status] of words) expect(namedStatus([word])).toBe(status)
})

property("any JSON as an error gives a fault that can be answered", 1000, (random) => {
  const fault = faultFromJson(random.json(4), errorContext)
  expect(fault.status).toBeGreaterThanOrEqual(400)
  expect(fault.message).not.toBe("")
  expect(faultOf(random.pick([400, 404, 429, 500]), random.text(50)).message).not.toBe("")
})

test.each([
  [429, "API key limit exceeded: 60 requests per minute", "rate_limit_error"],
  [429, "Per-key limit exceeded, please slow down", "rate_limit_error"],
  [403, "Key limit exceeded (weekly limit). Manage it in your settings", "billing_error"],
  [400, "thinking exceeded budget of tokens: max 1024", "invalid_request_error"],
  [403, "not enough balance", "billing_error"],
  [400, "ThrottlingException: Too many tokens, please wait before trying again.", "rate_limit_error"],
  [400, "Model unloaded.", "api_error"],
  [400, 'Failed to load model "qwen3". Error: Operation canceled.', "api_error"],
  [400, "The 'x' model is not supported when using Codex with a ChatGPT account.", "not_found_error"],
])("%d: %s", (status, message, kind) => {
  expect(faultOf(status, JSON.stringify({ error: { message } }))).toMatchObject({ kind })
})

test("a model of the Responses API alone: what to write is told (ericc-ch/copilot-api#208)", () => {
  const error = {
    message: 'model "gpt-5.4" is not accessible via the /chat/completions endpoint',
    code: "unsupported_api_for_model",
  }
  for (const body of [{ error }, { error: { message: `${JSON.stringify({ error })}\n`, type: "error" } }]) {
    const fault = faultOf(400, JSON.stringify(body))
    expect(fault).toMatchObject({ kind: "api_error", status: 502, finalForClient: true })
    expect(fault.message).toContain(`${error.message} (in models.yaml, dialect: responses`)
  }
})

test("an error that another server hands on as text says what that one said", () => {
  const error = { message: "prompt token count of 130000 exceeds the limit of 128000" }
  const handedOn = JSON.stringify({ error: { message: JSON.stringify({ error }), type: "error" } })
  expect(faultOf(400, handedOn).message).toStartWith("prompt is too long: 130000 tokens > 128000 maximum")
  const quota = {
    error: { message: JSON.stringify({ error: { message: "no", code: "insufficient_quota" } }) },
  }
  expect(faultOf(429, JSON.stringify(quota))).toMatchObject({ kind: "billing_error", status: 402 })
  expect(faultOf(400, JSON.stringify({ error: { message: '{"a":1}' } })).message).toBe('[generic] {"a":1}')
})

test("what stands beside an error that is handed on counts, too", () => {
  const message = JSON.stringify({ message: "used up" })
  const around = JSON.stringify({ error: { message, param: "model", code: "insufficient_quota" } })
  expect(faultOf(429, around)).toMatchObject({
    ...{ kind: "billing_error", message: "[generic] used up", finalForClient: true },
    named: { param: "model", code: "insufficient_quota" },
  })
})

test("what the model wrote wrong is asked for again (pydantic/pydantic-ai#2774)", () => {
  for (const code of ["tool_use_failed", "output_parse_failed"]) {
    const body = JSON.stringify({ error: { message: "Failed", type: "invalid_request_error", code } })
    expect(faultOf(400, body)).toMatchObject({ kind: "invalid_request_error", retry: "before-first-byte" })
  }
})
