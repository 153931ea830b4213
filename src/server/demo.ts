// Serves the built-in upstream on loopback, so that the demo takes the whole way: real converter, real HTTP.
import { isObject, parseJson } from "../protocol/json.ts"
import { demoMessage, demoSteps, demoUsage } from "../upstream/demo.ts"

interface DemoUpstream {
  /** To be used like any provider's base URL. */
  readonly baseUrl: string
  readonly stop: () => Promise<void>
}

// A pace that a person can follow.
const stepMs = 25

/** Starts the demo upstream on a free loopback port. */
export function startDemoUpstream(): DemoUpstream {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    development: false,
    reusePort: false,
    fetch: async (request) => {
      const parsed = parseJson(await request.text())
      if (!parsed.ok || !isObject(parsed.value))
        return Response.json({ error: { message: "the body must be a JSON object" } }, { status: 400 })
      const body = parsed.value
      const steps = demoSteps(body)
      const usage = demoUsage(body, steps)
      const base = { id: "chatcmpl-demo", created: 0, model: "demo" }
      if (body["stream"] !== true) {
        const choice = { index: 0, ...demoMessage(steps) }
        return Response.json({ ...base, object: "chat.completion", choices: [choice], usage })
      }
      async function* events() {
        for (const { delta, finish } of steps) {
          const choices = [{ index: 0, delta, finish_reason: finish ?? null }]
          yield `data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices })}\n\n`
          await Bun.sleep(stepMs)
        }
        yield `data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices: [], usage })}\n\n`
        yield "data: [DONE]\n\n"
      }
      return new Response(events(), { headers: { "content-type": "text/event-stream" } })
    },
  })
  return { baseUrl: `http://127.0.0.1:${server.port}/v1`, stop: () => server.stop(true) }
}
