// The real Claude Code CLI works on files with a model that is asked by the Responses API, and that refuses a call
// without its reasoning.
import { afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import { installClaude, quietClaude } from "../support/claude.ts"
import { type Finished, runProxy, withFolder } from "../support/proxy.ts"
import { type EventOptions, eventsOf } from "../support/responses/events.ts"
import { callItem, messageItem, reasoningItem, searchItem } from "../support/responses/items.ts"
import {
  createResponsesUpstream,
  type ResponsesTurn,
  type ResponsesUpstream,
} from "../support/responses/upstream.ts"
import { claudeVersion } from "./claude-version.ts"

const open: ResponsesUpstream[] = []
let claude = ""

setDefaultTimeout(120_000)

beforeAll(async () => {
  claude = await installClaude(claudeVersion)
}, 300_000)

afterEach(async () => {
  for (const upstream of open.splice(0)) await upstream.stop()
})

type Decide = (body: JsonObject, turn: number) => ResponsesTurn

interface Session {
  readonly finished: Finished
  readonly upstream: ResponsesUpstream
  /** The CLI's own result. */
  readonly result: JsonObject
}

/** `claude-proxy run -- claude -p "Do it." …` in `folder`, with `decide` as the model. */
async function play(
  folder: string,
  decide: Decide,
  flags: readonly string[],
  events: EventOptions = {},
): Promise<Session> {
  const upstream = createResponsesUpstream(decide, { events: () => events })
  open.push(upstream)
  const model = { model_id: "gpt", model_name: "gpt-5.6", provider: "openai", api_base: upstream.url }
  await Bun.write(`${folder}/models.yaml`, JSON.stringify([{ ...model, api_key_name: "SCRIPTED_API_KEY" }]))
  const finished = await runProxy(
    ["run", "--", claude, "-p", "Do it.", "--output-format", "json", ...flags],
    {
      env: {
        ...quietClaude,
        ...{ CUSTOM_MODELS_FILE: `${folder}/models.yaml`, SCRIPTED_API_KEY: "sk-scripted" },
        ...{ BIG_MODEL: "gpt", MIDDLE_MODEL: "gpt", SMALL_MODEL: "gpt", ENABLE_TOOL_SEARCH: "false" },
      },
      cwd: folder,
      timeoutMs: 60_000,
    },
  )
  const parsed = parseJson(finished.stdout.trim().split("\n").at(-1) ?? "")
  if (!parsed.ok || !isObject(parsed.value)) {
    throw new Error(
      `no JSON result:\n${finished.stdout}\n${finished.stderr}\n${upstream.refusals().join("\n")}`,
    )
  }
  return { finished, upstream, result: parsed.value }
}

const call = (id: string, name: string, input: JsonObject) =>
  callItem(`${id}_abcdef`, name, JSON.stringify(input))

/** Writes notes.txt, prints it, reads and counts it in two calls at once, edits it, and reports. */
function fileSession(folder: string): Decide {
  const file = `${folder}/notes.txt`
  const turns: readonly (readonly JsonObject[])[] = [
    [
      reasoningItem("0", ["First the file,", "then the shell."]),
      messageItem("0", "I write the file."),
      call("0", "Write", { file_path: file, content: "alpha\nbeta — 漢\n" }),
    ],
    [reasoningItem("1", []), call("1", "Bash", { command: "cat notes.txt", description: "Print the file" })],
    [
      reasoningItem("2", ["Both at once."]),
      call("2a", "Read", { file_path: file }),
      call("2b", "Bash", { command: "wc -l < notes.txt", description: "Count its lines" }),
    ],
    [reasoningItem("3", []), call("3", "Edit", { file_path: file, old_string: "beta", new_string: "gamma" })],
    [reasoningItem("4", ["That was it."]), messageItem("4", "All done.")],
  ]
  return (_body, turn) => ({ kind: "output", output: turns[turn] ?? [messageItem("5", "Too many turns.")] })
}

const outputsOf = (body: JsonObject): readonly string[] =>
  arrayOf(body["input"])
    .map(objectOf)
    .flatMap(({ type, output }) => (type === "function_call_output" ? [String(output)] : []))

/** The items in turn, one event of each. */
const interleaved: NonNullable<EventOptions["order"]> = (lists) => {
  const longest = Math.max(...lists.map((list) => list.length))
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat()
}

test.each<[string, EventOptions]>([
  ["streamed as documented", {}],
  ["its items interleaved, their ids changing", { order: interleaved, rotate: true }],
])("a session that writes, runs, reads, counts and edits: %s", (_name, events) =>
  withFolder(async (folder) => {
    const flags = ["--dangerously-skip-permissions"]
    const { finished, upstream, result } = await play(folder, fileSession(folder), flags, events)
    expect(upstream.refusals()).toEqual([])
    expect(result).toMatchObject({ type: "result", is_error: false, result: "All done." })
    expect(finished.exitCode).toBe(0)
    expect(await Bun.file(`${folder}/notes.txt`).text()).toBe("alpha\ngamma — 漢\n")
    expect(upstream.requests.map(({ path }) => path)).toEqual(
      Array.from({ length: 5 }, () => "/v1/responses"),
    )
    const outputs = outputsOf(upstream.requests.at(-1)?.body ?? {})
    expect(outputs.length).toBe(5)
    expect(outputs[1]).toContain("beta — 漢")
    expect(outputs[3]?.trim()).toBe("2")
    expect(objectOf(result["usage"])["cache_read_input_tokens"]).toBe(5 * 80)
  }),
)

test("WebSearch is the provider's own search", () =>
  withFolder(async (folder) => {
    const found = searchItem("s", "bun release", ["https://bun.test/blog"])
    const decide: Decide = (body) => {
      if (body["tool_choice"] !== undefined && JSON.stringify(body["tools"]).includes("web_search")) {
        return { kind: "events", events: eventsOf([found, messageItem("s", "It is out.")]) }
      }
      const [seen] = outputsOf(body)
      const output =
        seen === undefined ? [call("0", "WebSearch", { query: "bun release" })] : [messageItem("1", seen)]
      return { kind: "events", events: eventsOf(output) }
    }
    const { finished, upstream, result } = await play(folder, decide, ["--allowedTools", "WebSearch"])
    expect(upstream.refusals()).toEqual([])
    expect(String(result["result"])).toContain("https://bun.test/blog")
    expect(finished.exitCode).toBe(0)
    expect(upstream.requests.length).toBe(3)
  }))
