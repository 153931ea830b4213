// The real Claude Code CLI, wrapped by the proxy, works on files with a scripted model.
import { afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import {
  deltaChunk,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
} from "../support/chunks.ts"
import { installClaude, quietClaude } from "../support/claude.ts"
import { type Finished, runProxy, withFolder } from "../support/proxy.ts"
import type { Script, Turn } from "../support/script.ts"
import { createUpstream, type ScriptedUpstream } from "../support/upstream.ts"
import { claudeVersion } from "./claude-version.ts"
import { anyTextTurn, checkConversation, fileSession, messagesOf, textTurn, toolResults } from "./session.ts"

const open: ScriptedUpstream[] = []
let claude = ""

setDefaultTimeout(120_000)

beforeAll(async () => {
  claude = await installClaude(claudeVersion)
}, 300_000)

afterEach(async () => {
  for (const upstream of open.splice(0)) await upstream.stop()
})

interface Session {
  readonly finished: Finished
  readonly upstream: ScriptedUpstream
  readonly seconds: number
}

/** `claude-proxy run -- claude -p PROMPT …` in `folder`, with `script` as the model. */
async function play(folder: string, script: Script, flags: readonly string[] = []): Promise<Session> {
  const upstream = createUpstream(script)
  open.push(upstream)
  const prompt = ["-p", "Do it.", "--output-format", "json", "--dangerously-skip-permissions", ...flags]
  const from = performance.now()
  const finished = await runProxy(["run", "--", claude, ...prompt], {
    env: {
      ...quietClaude,
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: "sk-scripted",
      BIG_MODEL: "scripted-model",
    },
    cwd: folder,
    timeoutMs: 60_000,
  })
  return { finished, upstream, seconds: (performance.now() - from) / 1000 }
}

/** The CLI's JSON result; with `stream-json`, its last line. */
function resultOf(finished: Finished): JsonObject {
  const parsed = parseJson(finished.stdout.trim().split("\n").at(-1) ?? "")
  if (!parsed.ok || !isObject(parsed.value)) {
    throw new Error(`no JSON result:\n${finished.stdout}\n${finished.stderr}`)
  }
  return parsed.value
}

function totalsLines(finished: Finished): readonly string[] {
  return finished.stderr.split("\n").filter((line) => /\d+ requests?\b/.test(line))
}

test("a session that writes, runs, reads, counts and edits", () =>
  withFolder(async (folder) => {
    const { finished, upstream } = await play(folder, fileSession(folder))
    const result = resultOf(finished)
    expect(result).toMatchObject({ type: "result", is_error: false, result: "All done." })
    expect(finished.exitCode).toBe(0)
    expect(await Bun.file(`${folder}/notes.txt`).text()).toBe("alpha\ngamma — 漢\n")

    const usage = objectOf(result["usage"])
    expect(usage["output_tokens"]).toBeGreaterThanOrEqual(4 * 40 + 20)
    expect(usage["cache_read_input_tokens"]).toBeGreaterThanOrEqual(5 * 1000)
    expect(usage["input_tokens"]).toBeGreaterThan(0)
    expect(totalsLines(finished).length).toBe(1)

    const turns = upstream.turns()
    expect(turns.length).toBe(5)
    for (const turn of turns) {
      expect(turn.text).not.toContain("x-anthropic-billing-header")
      expect(checkConversation(turn.body)).toEqual([])
      expect(messagesOf(turn.body)[0]?.["role"]).toBe("system")
      expect(turn.headers["authorization"]).toBe("Bearer sk-scripted")
      expect(turn.cancelledAt).toBeUndefined()
    }
    const last = toolResults(turns.at(-1)?.body ?? {})
    expect(last.length).toBe(5)
    expect(last[1]).toContain("alpha\nbeta — 漢")
    expect(last[2]).toContain("beta")
    expect(last[3]?.trim()).toBe("2")
  }))

test("reasoning arrives as thinking, text as text", () =>
  withFolder(async (folder) => {
    const chunks = [
      reasoningChunk("Let me "),
      reasoningChunk("think."),
      textChunk("Thought."),
      finishChunk("stop"),
    ]
    const flags = ["--output-format", "stream-json", "--verbose"]
    const { finished } = await play(folder, [{ kind: "stream", chunks: [roleChunk(), ...chunks] }], flags)
    const lines = finished.stdout
      .trim()
      .split("\n")
      .map((line) => objectOf(JSON.parse(line)))
    const blocks = lines
      .filter((line) => line["type"] === "assistant")
      .flatMap((line) => arrayOf(objectOf(line["message"])["content"]))
    expect(blocks).toMatchObject([
      { type: "thinking", thinking: "Let me think." },
      { type: "text", text: "Thought." },
    ])
    expect(finished.exitCode).toBe(0)
  }))

test("a refused upstream key ends the session at once and says why", () =>
  withFolder(async (folder) => {
    const error = { message: "Incorrect API key provided: sk-scri*ted.", type: "invalid_request_error" }
    const script: Script = () => ({
      kind: "json",
      status: 401,
      body: { error: { ...error, code: "invalid_api_key" } },
    })
    const { finished, upstream, seconds } = await play(folder, script)
    expect(finished.exitCode).toBe(1)
    expect(String(resultOf(finished)["result"])).toContain("Incorrect API key provided")
    expect(upstream.turns().length).toBe(1)
    expect(seconds).toBeLessThan(20)
  }))

test.each(["clean", "reset"] as const)("a stream cut after some text (%s) is recovered from", (cut) =>
  withFolder(async (folder) => {
    const script: Script = (body, turn) => {
      if (turn === 0) return { kind: "stream", chunks: [roleChunk(), textChunk("Half an ans")], cut }
      return anyTextTurn(body, "Recovered.")
    }
    const { finished, upstream } = await play(folder, script)
    expect(String(resultOf(finished)["result"])).toEndWith("Recovered.")
    expect(finished.exitCode).toBe(0)
    expect(upstream.turns().length).toBe(2)
  }),
)

test.each([
  ["a rate limit", { message: "Rate limit exceeded", code: 429 }],
  [
    "an ill-written call",
    { message: "Failed to call a function.", type: "invalid_request_error", code: "tool_use_failed" },
  ],
] as const)("%s behind a complete block does not end the session", (_name, error) =>
  withFolder(async (folder) => {
    const begun = [roleChunk(), reasoningChunk("Hm."), textChunk("Half an ans")]
    const script: Script = (body, turn) =>
      turn === 0 ? { kind: "stream", chunks: [...begun, { error }] } : anyTextTurn(body, "Recovered.")
    const { finished, upstream } = await play(folder, script)
    expect(String(resultOf(finished)["result"])).toEndWith("Recovered.")
    expect(finished.exitCode).toBe(0)
    expect(upstream.turns().length).toBe(2)
  }),
)

test("an overflowing context is compacted", () =>
  withFolder(async (folder) => {
    const message =
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens."
    const script: Script = (body) => {
      if (/<summary>/.test(String(messagesOf(body).at(-1)?.["content"])))
        return textTurn("<summary>Short.</summary>")
      if (JSON.stringify(body).includes("Short.")) return textTurn("Compacted.")
      if (toolResults(body).length > 0) {
        return { kind: "json", status: 400, body: { error: { message, code: "context_length_exceeded" } } }
      }
      const call = toolChunks(0, "call_0", "Bash", { command: "echo hello", description: "Say hello" })
      return { kind: "stream", chunks: [roleChunk(), ...call, finishChunk("tool_calls")] }
    }
    const { finished } = await play(folder, script)
    expect(resultOf(finished)).toMatchObject({ is_error: false, result: "Compacted." })
    expect(finished.exitCode).toBe(0)
  }))

/** The model searches, and says what its WebSearch tool got. */
function searching(body: JsonObject): Turn {
  const words = String(messagesOf(body).at(-1)?.["content"])
  if (body["plugins"] !== undefined) {
    const citation = {
      type: "url_citation",
      url_citation: { url: "https://bun.test/blog", title: "The blog" },
    }
    const chunks = [textChunk(`Found: ${words}`), deltaChunk({ annotations: [citation] })]
    return { kind: "stream", chunks: [roleChunk(), ...chunks, finishChunk("stop")] }
  }
  const [result] = toolResults(body)
  if (result !== undefined) return anyTextTurn(body, result)
  const call = toolChunks(0, "call_00000001", "WebSearch", { query: "bun release" })
  return { kind: "stream", chunks: [roleChunk(), ...call, finishChunk("tool_calls")] }
}

test.each([
  ["openrouter", 3, ["Found: Perform a web search for the query: bun release", "https://bun.test/blog"]],
  ["deepseek", 2, ["Web search error: unavailable", "Web search is not available"]],
] as const)("WebSearch at %s", (provider, requests, expected) =>
  withFolder(async (folder) => {
    const upstream = createUpstream(searching)
    open.push(upstream)
    const model = `- model_id: x\n  provider: ${provider}\n  api_base: ${upstream.url}\n`
    await Bun.write(`${folder}/models.yaml`, model)
    const flags = ["--output-format", "json", "--allowedTools", "WebSearch"]
    const finished = await runProxy(["run", "--", claude, "-p", "Search the web.", ...flags], {
      env: {
        ...quietClaude,
        CUSTOM_MODELS_FILE: `${folder}/models.yaml`,
        BIG_MODEL: "x",
        ENABLE_TOOL_SEARCH: "false",
      },
      cwd: folder,
    })
    const said = String(resultOf(finished)["result"])
    for (const words of expected) expect(said).toContain(words)
    expect(upstream.turns().length).toBe(requests)
  }),
)
