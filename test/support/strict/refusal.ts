// A refusal as the provider itself words it: status and body, for scripted upstreams.

interface Refusal {
  readonly status: number
  readonly body: unknown
}

const openai = (message: string): Refusal => ({
  status: 400,
  body: { error: { message, type: "invalid_request_error", param: null, code: null } },
})

const zhipu = (message: string): Refusal => ({ status: 400, body: { error: { code: "1210", message } } })

const shapes: Readonly<Record<string, (message: string, reasons: readonly string[]) => Refusal>> = {
  deepseek: (message) => ({
    status: 400,
    body: { error: { message, type: "invalid_request_error", param: null, code: "invalid_request_error" } },
  }),
  moonshot: (message) => ({ status: 400, body: { error: { message, type: "invalid_request_error" } } }),
  kimi: (message) => ({ status: 400, body: { error: { message, type: "invalid_request_error" } } }),
  zhipu,
  zai: zhipu,
  minimax: (message) => ({
    status: 200,
    body: { choices: null, base_resp: { status_code: 2013, status_msg: `invalid params, ${message}` } },
  }),
  gemini: (message) => ({
    status: 400,
    body: [{ error: { code: 400, message, status: "INVALID_ARGUMENT" } }],
  }),
  ark: (message) => ({
    status: 400,
    body: { error: { code: "InvalidParameter", message, param: "", type: "BadRequest" } },
  }),
  dashscope: (message) => ({
    status: 400,
    body: {
      error: { message, code: "invalid_parameter_error", param: null, type: "invalid_request_error" },
      request_id: "0a0a0a0a-0000-9000-8000-000000000000",
    },
  }),
  openrouter: (message) => ({ status: 400, body: { error: { message, code: 400 } } }),
  groq: (message) => ({ status: 400, body: { error: { message, type: "invalid_request_error" } } }),
  mistral: (_, reasons) => ({
    status: 422,
    body: {
      object: "error",
      message: {
        detail: reasons.map((reason) => ({
          type: "value_error",
          loc: ["body", reason.split(":", 1)[0]],
          msg: reason,
        })),
      },
      type: "invalid_request_error",
      param: null,
      code: null,
    },
  }),
  xai: (message) => ({
    status: 400,
    body: { code: "Client specified an invalid argument", error: message },
  }),
  siliconflow: (message) => ({ status: 400, body: { code: 20015, message, data: null } }),
  fireworks: (message) => ({
    status: 400,
    body: {
      error: { object: "error", type: "invalid_request_error", code: "invalid_request_error", message },
    },
  }),
  cerebras: (message) => ({
    status: 422,
    body: { message, type: "invalid_request_error", param: "validation_error", code: "wrong_api_format" },
  }),
  lmstudio: (message) => ({ status: 400, body: { error: message } }),
  vllm: (message) => ({
    status: 400,
    body: { object: "error", message, type: "BadRequestError", param: null, code: 400 },
  }),
  llamacpp: (message) => ({
    status: 400,
    body: { error: { code: 400, message, type: "invalid_request_error" } },
  }),
  copilot: (message) => ({ status: 400, body: { error: { message, code: "invalid_request_body" } } }),
}

/** What provider `id` answers to a request refused for these reasons; OpenAI's shape where it has no other. */
export function refusal(id: string, reasons: readonly string[]): Refusal {
  const message = reasons.length === 0 ? "Invalid request" : reasons.join("; ")
  const shape = Object.hasOwn(shapes, id) ? shapes[id] : undefined
  return (shape ?? openai)(message, reasons)
}
