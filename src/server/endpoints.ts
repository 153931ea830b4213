// Which path and method leads where.
import { type Fault, fault } from "../protocol/fault.ts"
import { lookUp } from "../protocol/json.ts"
import { createAhead } from "./ahead.ts"
import { once } from "./common/once.ts"
import type { BaseContext, Context, Parts } from "./context.ts"
import { chatFaultReply } from "./endpoints/chat-fault.ts"
import { describe, health, metrics } from "./endpoints/info.ts"
import { model, models } from "./endpoints/models.ts"
import { stats } from "./endpoints/stats.ts"
import type { Counted } from "./entrance/limits.ts"
import { faultReply, jsonReply } from "./http/respond.ts"
import type { Wish } from "./request/asked.ts"

/** `url.pathname` is as it was sent; `normalisePath` makes of it what an endpoint is found by. */
export type Handler = (request: Request, requestId: string, url: URL) => Response | Promise<Response>

export interface Endpoint {
  readonly methods: Readonly<Record<string, Handler>>
  /** Answered without a client key. */
  readonly open?: true
  /** Asks upstreams: nothing of the kind is begun once the server is about to end. */
  readonly asks?: true
  /** Its requests count towards the limit of their client. */
  readonly counted?: Counted
  /** How its clients are told of a fault; else in Anthropic's shape. */
  readonly refuse?: (given: Fault, requestId: string) => Response
}

type Endpoints = Readonly<Record<string, Endpoint>>

interface Late {
  readonly handle: Handler
  /** Loads it ahead of the first request. */
  readonly load: () => Promise<Handler>
}

/** A handler that is loaded with the first request for it: the start waits for none of it. */
function late(make: () => Promise<Handler>): Late {
  let handler: Handler | undefined
  const load = once(async () => {
    // The binary is slow to compile what only a start runs (--compile-jit-policy); what follows is worth it.
    Bun.unsafe.setJITPolicy(1)
    handler = await make()
    return handler
  })
  const handle: Handler = (request, requestId, url) =>
    handler === undefined
      ? load().then((loaded) => loaded(request, requestId, url))
      : handler(request, requestId, url)
  return { handle, load }
}

/**
 * Claude Code starts so, at `/` (seen with 2.1.197) or `/api/hello` (2.1.332), and will ask for a reply once its user
 * has typed.
 */
function isStart({ method, headers }: Request): boolean {
  return method === "HEAD" && headers.get("user-agent")?.startsWith("Bun/") === true
}

/** Every endpoint there is, by its path. `/v1/models/*` stands for every longer path. */
export function createEndpoints(base: BaseContext, parts: () => Promise<Parts>): Endpoints {
  const whole = once(async (): Promise<Context> => ({ ...base, ...(await parts()) }))
  const answering = (wish?: Wish) =>
    late(async () => {
      const [context, { handleMessages }] = await Promise.all([whole(), import("./endpoints/messages.ts")])
      return (request, requestId, url) => handleMessages(request, context, requestId, url, wish)
    })
  const messages = answering()
  // To exactly the model it names, whatever the rules of routing say.
  const testConversion = answering({ exact: true })
  const chatCompletions = late(async () => {
    const module = import("./endpoints/chat-completions.ts")
    const [context, { handleChatCompletions }] = await Promise.all([whole(), module])
    return (request, requestId) => handleChatCompletions(request, context, requestId)
  })
  const counting = late(async () => {
    const [context, { countTokens }] = await Promise.all([whole(), import("./endpoints/count-tokens.ts")])
    return (request, requestId, url) => countTokens(request, context, requestId, url)
  })
  const testConnection = late(async () => {
    const [context, { createConnectionTest }] = await Promise.all([whole(), import("./probe/endpoint.ts")])
    const test = createConnectionTest(context)
    return (_request, requestId) => test(requestId)
  })
  const goAhead = createAhead(base)
  const heard = (request: Request): void => {
    if (isStart(request)) setTimeout(() => Promise.allSettled([goAhead(), messages.load()]))
  }
  const front: Handler = (request, requestId) => {
    heard(request)
    return describe(base, requestId)
  }
  const hello: Handler = (request, requestId) => {
    heard(request)
    return jsonReply({ message: "hello" }, requestId)
  }
  const ignored: Endpoint = {
    open: true,
    methods: { POST: (_request, requestId) => jsonReply({}, requestId) },
  }
  return {
    "/": { open: true, methods: { GET: front } },
    "/health": { open: true, methods: { GET: (_request, requestId) => health(base, requestId) } },
    "/v1/stats": { methods: { GET: (_request, requestId) => stats(base, requestId) } },
    "/metrics": { methods: { GET: (_request, requestId) => metrics(base, requestId) } },
    "/api/hello": { open: true, methods: { GET: hello } },
    "/v1/messages": {
      methods: { POST: messages.handle },
      counted: { bucket: "requests" },
      asks: true,
    },
    "/v1/chat/completions": {
      methods: { POST: chatCompletions.handle },
      refuse: chatFaultReply,
      counted: { bucket: "requests", forOpenAi: true },
      asks: true,
    },
    "/v1/messages/count_tokens": {
      methods: { POST: counting.handle },
      counted: { bucket: "count_tokens" },
      asks: true,
    },
    "/v1/messages/test_conversion": {
      methods: { POST: testConversion.handle },
      counted: { bucket: "requests" },
      asks: true,
    },
    "/test-connection": { methods: { GET: testConnection.handle }, asks: true },
    "/v1/models": {
      methods: { GET: (_request, requestId, url) => models(url, base, requestId) },
    },
    "/v1/models/*": {
      methods: {
        GET: (_request, requestId, { pathname }) =>
          model(normalisePath(pathname).slice("/v1/models/".length), base, requestId),
      },
    },
    // Claude Code's telemetry ends here and goes nowhere.
    "/api/event_logging/batch": ignored,
    "/api/event_logging/v2/batch": ignored,
    "/api/claude_code/metrics": ignored,
    "/v1/traces": ignored,
  }
}

// The AI SDK and OpenAI's clients take `/v1` to be a part of the base URL, where others add it themselves.
const withoutVersion = /^\/(?=(?:messages|models|chat\/completions)(?:\/|$))/

/**
 * People set base URLs with one suffix too many or too few, or a slash at the end: all of them mean the same, so that
 * one ANTHROPIC_BASE_URL serves all clients.
 */
export function normalisePath(pathname: string): string {
  const path = pathname.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1")
  const plain = path.replace(/^\/anthropic(?=\/|$)/, "").replace(/^\/v1\/v1(?=\/)/, "/v1")
  return plain.replace(withoutVersion, "/v1/") || "/"
}

/** The endpoint at a normalised path, or undefined. */
export function findEndpoint(endpoints: Endpoints, path: string): Endpoint | undefined {
  return endpoints[path] ?? (path.startsWith("/v1/models/") ? endpoints["/v1/models/*"] : undefined)
}

/** The handler of a method. HEAD is GET without its body, which Bun leaves out by itself. */
export function findHandler({ methods }: Endpoint, method: string): Handler | undefined {
  return lookUp(methods, method) ?? (method === "HEAD" ? methods["GET"] : undefined)
}

/** How the clients of such a path are told of a fault, whether there is anything at it or not. */
export function refusalAt(
  path: string,
  endpoint: Endpoint | undefined,
): (given: Fault, requestId: string) => Response {
  const forOpenAi = path === "/v1/chat" || path.startsWith("/v1/chat/")
  return endpoint?.refuse ?? (forOpenAi ? chatFaultReply : faultReply)
}

/** 404, for a path at which there is nothing. */
export function unknownPath(method: string, path: string): Fault {
  const message = `${method} ${path} is not supported by this proxy; see GET / for what is`
  return fault({ kind: "not_found_error", source: "client", message })
}

/** 405, or the plain answer to OPTIONS: no web page is given access, so there are no CORS headers. */
export function otherMethod(method: string, path: string, endpoint: Endpoint, requestId: string): Response {
  const known = Object.keys(endpoint.methods).flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name]))
  const allow = [...known, "OPTIONS"].join(", ")
  if (method === "OPTIONS")
    return new Response(null, { status: 204, headers: { "request-id": requestId, allow } })
  const message = `${method} is not allowed for ${path}; use ${allow}`
  const given = fault({
    kind: "invalid_request_error",
    source: "client",
    status: 405,
    message,
    headers: { allow },
  })
  const refuse = endpoint.refuse ?? faultReply
  return refuse(given, requestId)
}
