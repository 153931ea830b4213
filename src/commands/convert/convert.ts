// `convert`: what the proxy would make of a request, a reply or a stream, without sending anything.
import type { Config } from "../../config/config.ts"
import { loadHere } from "../../config/load/load.ts"
import { resolveRoute } from "../../config/routes/route.ts"
import { type CommandIo, fail, say } from "../terminal/io.ts"
import { readInput } from "../terminal/read-input.ts"
import { explainNotes, explainRoute, renderNotes } from "./explain.ts"
import { type Known, kinds, recognise } from "./input.ts"
import { type ChatInput, convertChatReply, readAsked } from "./reply.ts"
import { convertChatBody, convertMessagesBody } from "./request.ts"
import { convertMessagesInput } from "./reverse.ts"
import { shapeProblem } from "./shape.ts"

export interface ConvertOptions {
  readonly file?: string | undefined
  readonly to?: string | undefined
  readonly from?: string | undefined
  readonly model?: string | undefined
  /** A file with the Anthropic request that the input answers. */
  readonly request?: string | undefined
  readonly envFile?: string | undefined
  readonly explain: boolean
}

/** 0: converted; 1: the input is nothing we can convert; 2: the command or the configuration is wrong. */
export async function convert(options: ConvertOptions, io: CommandIo): Promise<number> {
  if (options.request === "-" && (options.file ?? "-") === "-")
    return fail(io, "--request and the input cannot both be standard input: name a file for one", 2)
  const read = await readInput(options.file, "convert", io)
  if (!read.ok) return read.code
  const asked = options.request === undefined ? undefined : await readInput(options.request, "convert", io)
  if (asked?.ok === false) return asked.code
  try {
    return convertText(read.text, asked?.text, options, io)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return fail(io, "the input is nested too deeply")
  }
}

/** `asked` is the text of the request that the input answers. */
function convertText(
  text: string,
  asked: string | undefined,
  options: ConvertOptions,
  io: CommandIo,
): number {
  const input = recognise(text, { from: options.from, to: options.to })
  if (input.kind === "unknown") return fail(io, input.why)
  const { name, target } = kinds[input.kind]
  const isResponses = options.to === "responses" && input.kind === "messages-request"
  if (options.to !== undefined && options.to !== target && !isResponses)
    return fail(io, `this input is ${name}, which converts to ${target}, not to ${options.to}`)
  if (asked !== undefined && !("model" in input))
    return fail(io, `--request belongs to an OpenAI reply or stream, and this input is ${name}`)
  const problem = shapeProblem(input)
  if (problem !== undefined) return fail(io, problem)
  // What an OpenAI client is told does not depend on any setting.
  if (input.kind === "messages-reply" || input.kind === "messages-stream") {
    const { text: out, notes } = convertMessagesInput(input)
    return print(out, () => explainNotes(notes), options, io)
  }
  const loaded = loadHere({ flags: {}, envFile: options.envFile, localFile: true, needsUpstream: false })
  for (const text of loaded.ok ? loaded.warnings : loaded.problems) say(io, text)
  return loaded.ok ? convertRouted(input, asked, options, loaded.config, io) : 2
}

type Routed = Exclude<Known, { kind: "messages-reply" | "messages-stream" }>

function convertRouted(
  input: Routed,
  asked: string | undefined,
  options: ConvertOptions,
  config: Config,
  io: CommandIo,
): number {
  if ("model" in input) return convertAnswer(input, asked, options, config, io)
  const converted =
    input.kind === "chat-request"
      ? convertChatBody(input.body, options.model, config)
      : convertMessagesBody(input.body, options.model, config, options.to === "responses")
  if (!converted.ok) return fail(io, converted.why)
  return print(`${JSON.stringify(converted.body, null, 2)}\n`, converted.explanation, options, io)
}

function convertAnswer(
  input: ChatInput,
  asked: string | undefined,
  options: ConvertOptions,
  config: Config,
  io: CommandIo,
): number {
  const dialect = input.kind.startsWith("responses") ? "responses" : "chat"
  const read = asked === undefined ? undefined : readAsked(asked, config, { model: options.model, dialect })
  if (read?.ok === false) return fail(io, `--request ${options.request}: ${read.why}`)
  // The model that a reply names has answered already: no rule leads from it to another one.
  const resolved =
    read?.resolved ??
    resolveRoute(config, options.model ?? input.model, { dialect, exact: options.model === undefined })
  if (!resolved.ok) return fail(io, resolved.fault.message)
  const { text, notes } = convertChatReply(input, resolved.route, config, read?.request)
  const lines = () => [...explainRoute(resolved.route), ...renderNotes(notes)]
  return print(text, () => `${lines().join("\n")}\n`, options, io)
}

function print(text: string, explanation: () => string, options: ConvertOptions, io: CommandIo): number {
  io.out(text)
  if (options.explain) io.error(explanation())
  return 0
}
