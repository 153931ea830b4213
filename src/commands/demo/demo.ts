// `demo`: the whole path in one command, with no key and no network. A client's request goes through a real
// proxy to the built-in upstream, and what comes back is shown as it comes.

import type { Config } from "../../config/config.ts"
import { loadHere } from "../../config/load/load.ts"
import { createLogger } from "../../observe/log.ts"
import { arrayOf, isObject, type JsonObject, objectOf, parseJson, textOf } from "../../protocol/json.ts"
import { createSseDecoder } from "../../protocol/sse.ts"
import { startDemoUpstream } from "../../server/demo.ts"
import { type RunningServer, startServer } from "../../server/server.ts"
import { tellProblems } from "../common/tell-problems.ts"
import { version } from "../common/version.ts"
import { startFailure } from "../serve/start-failure.ts"
import { createColors } from "../terminal/colors.ts"
import type { CommandIo } from "../terminal/io.ts"
import { untilStopped } from "../terminal/until-stopped.ts"

interface DemoOptions {
  /** End after the request instead of serving on. */
  readonly once: boolean
  readonly port?: string | undefined
}

const request = {
  model: "claude-sonnet-5-5",
  max_tokens: 1024,
  stream: true,
  thinking: { type: "enabled", budget_tokens: 1024 },
  tools: [
    {
      name: "get_weather",
      description: "The weather in a city, now.",
      input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  ],
  messages: [{ role: "user", content: "What is the weather in Paris? Use get_weather." }],
}

/** Runs the demo; 0 when the reply was complete, 2 for a broken configuration. */
export async function demo(options: DemoOptions, io: CommandIo): Promise<number> {
  const upstream = startDemoUpstream()
  try {
    const loaded = loadHere({
      flags: { PORT: options.port ?? "0", HOST: "127.0.0.1" },
      envFile: undefined,
      localFile: false,
      needsUpstream: false,
      demoBaseUrl: upstream.baseUrl,
    })
    // Whatever keys the user's own settings ask of clients: the demo is for everybody on this machine.
    if (loaded.ok) return await demoWith({ ...loaded.config, clientKeys: [] }, options, io)
    return tellProblems(loaded, io)
  } finally {
    await upstream.stop()
  }
}

async function demoWith(config: Config, options: DemoOptions, io: CommandIo): Promise<number> {
  const { logFormat: format, secrets } = config
  const write = (line: string) => io.error(`${line}\n`)
  const log = createLogger({ level: "WARNING", format, write, now: () => new Date(), secrets })
  let server: RunningServer
  try {
    server = startServer({ config, log, version, onExchange: () => {} })
  } catch (error) {
    return startFailure(error, config, io)
  }
  try {
    const { bold } = createColors(io.color)
    io.out(
      `claude-proxy ${version} is listening on ${bold(server.url)}, in front of its built-in upstream.\n\n`,
    )
    const complete = await play(server.url, io)
    if (!options.once) {
      io.out("\nTry it with Claude Code, no key needed:\n\n")
      io.out(
        `  ${bold(`ANTHROPIC_BASE_URL=${server.url} ANTHROPIC_AUTH_TOKEN=demo claude`)}\n\nCtrl-C ends the demo.\n`,
      )
      await untilStopped()
    }
    return complete ? 0 : 1
  } finally {
    await server.stop(1_000)
  }
}

async function play(url: string, io: CommandIo): Promise<boolean> {
  io.out(
    `POST ${url}/v1/messages\n  ${JSON.stringify(request.messages[0]?.content)}, one tool offered: get_weather\n\n`,
  )
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "demo", "anthropic-version": "2023-06-01" },
    body: JSON.stringify(request),
    proxy: false,
  })
  if (!response.ok || response.body === null) {
    io.error(`the proxy answered ${response.status}: ${await response.text()}\n`)
    return false
  }
  const decoder = new TextDecoder()
  const sse = createSseDecoder()
  let complete = false
  for await (const bytes of response.body) {
    for (const message of sse.push(decoder.decode(bytes, { stream: true }))) {
      const parsed = parseJson(message.data)
      if (!parsed.ok || !isObject(parsed.value)) continue
      io.out(render(parsed.value, createColors(io.color)))
      complete = parsed.value["type"] === "message_stop"
    }
  }
  return complete
}

type Colors = ReturnType<typeof createColors>

/** One event for a person to read: what a client would show, and where blocks begin and end. */
function render(event: JsonObject, { cyan, dim }: Colors): string {
  const delta = objectOf(event["delta"])
  switch (event["type"]) {
    case "message_start":
      return `${cyan("message_start")}    model ${String(objectOf(event["message"])["model"])}\n`
    case "content_block_start": {
      const block = objectOf(event["content_block"])
      const name = textOf(block["name"])
      return `${cyan(String(block["type"]).padEnd(16))} ${name === undefined ? "" : `${name} `}`
    }
    case "content_block_delta":
      return (
        textOf(delta["text"]) ?? dim(textOf(delta["thinking"]) ?? "") + (textOf(delta["partial_json"]) ?? "")
      )
    case "content_block_stop":
      return "\n"
    case "message_delta": {
      const usage = objectOf(event["usage"])
      const tokens = `${String(usage["input_tokens"])} tokens in, ${String(usage["output_tokens"])} out`
      return `${cyan("message_delta")}    stop_reason ${String(delta["stop_reason"])}; ${tokens}\n`
    }
    case "message_stop":
      return `${cyan("message_stop")}\n`
    case "error":
      return `error            ${arrayOf([objectOf(event["error"])["message"]]).join("")}\n`
    default:
      return ""
  }
}
