// The real Claude Code CLI with a model of a small window: what would not fit is refused by the proxy, and the CLI
// compacts the conversation and goes on.
import { afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { isObject, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import {
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import { installClaude, quietClaude } from "../support/claude.ts"
import { runProxy, withFolder } from "../support/proxy.ts"
import type { Turn } from "../support/script.ts"
import { createUpstream, type ScriptedUpstream } from "../support/upstream.ts"
import { claudeVersion } from "./claude-version.ts"
import { messagesOf, toolResults } from "./session.ts"

const open: ScriptedUpstream[] = []
let claude = ""

setDefaultTimeout(180_000)

beforeAll(async () => {
  claude = await installClaude(claudeVersion)
}, 300_000)

afterEach(async () => {
  for (const upstream of open.splice(0)) await upstream.stop()
})

const window = 60_000
const files = ["one.txt", "two.txt", "three.txt", "four.txt"] as const
const line = "Every line of this file says the same thing again, and none of them says anything new.\n"

/** The model's own count of a prompt. */
const countOf = (body: JsonObject): number => Math.round(JSON.stringify(body).length / 4)

function streamed(body: JsonObject, chunks: readonly JsonObject[], reason: string): Turn {
  return {
    kind: "stream",
    chunks: [roleChunk(), ...chunks, finishChunk(reason), usageChunk(countOf(body), 50)],
  }
}

/** Reads one file after the other until its conversation is compacted; what it first answers to that may be `first`. */
function reader(folder: string, first?: (body: JsonObject) => Turn): (body: JsonObject) => Turn {
  let answers = first
  return (body) => {
    if (/<summary>/.test(String(messagesOf(body).at(-1)?.["content"]))) {
      const other = answers?.(body)
      answers = undefined
      if (other !== undefined) return other
      return streamed(body, [textChunk("<summary>Files were read.</summary>")], "stop")
    }
    if (JSON.stringify(body).includes("Files were read."))
      return streamed(body, [textChunk("Compacted.")], "stop")
    const file = files[toolResults(body).length]
    if (file === undefined) return streamed(body, [textChunk("Never compacted.")], "stop")
    const call = toolChunks(0, `call_${file}`, "Read", { file_path: `${folder}/${file}` })
    return streamed(body, call, "tool_calls")
  }
}

/** A session of the CLI with a model whose window is this, by models.yaml; undefined: not known. */
async function play(folder: string, known: number | undefined, first?: (body: JsonObject) => Turn) {
  for (const file of files) await Bun.write(`${folder}/${file}`, line.repeat(620))
  const upstream = createUpstream(reader(folder, first))
  open.push(upstream)
  const model = `- model_id: small\n  provider: vllm\n  api_base: ${upstream.url}\n`
  const limit = known === undefined ? "" : `  max_input_tokens: ${known}\n`
  await Bun.write(`${folder}/models.yaml`, model + limit)
  const flags = ["--output-format", "json", "--dangerously-skip-permissions"]
  const finished = await runProxy(["run", "--", claude, "-p", "Read the files.", ...flags], {
    env: {
      ...quietClaude,
      CUSTOM_MODELS_FILE: `${folder}/models.yaml`,
      BIG_MODEL: "small",
      // So that the CLI does not compact on its own, before it is told to.
      CLAUDE_CODE_AUTO_COMPACT_WINDOW: "1000000",
    },
    cwd: folder,
    timeoutMs: 120_000,
  })
  const parsed = parseJson(finished.stdout.trim().split("\n").at(-1) ?? "")
  return {
    result: objectOf(parsed.ok && isObject(parsed.value) ? parsed.value : {}),
    sizes: upstream.turns().map(({ body }) => countOf(body)),
  }
}

test("a conversation that outgrows the model's window is compacted, and nothing is sent that does not fit", () =>
  withFolder(async (folder) => {
    const { result, sizes } = await play(folder, window)
    expect(result).toMatchObject({ is_error: false, result: "Compacted." })
    expect(Math.max(...sizes)).toBeLessThan(window)
    // Its meter.
    expect(Number(objectOf(result["usage"])["input_tokens"])).toBeGreaterThan(10_000)
  }))

const wordless: readonly (readonly [string, (body: JsonObject) => Turn])[] = [
  ["a call", (body) => streamed(body, toolChunks(0, "call_x", "Read", { file_path: "/x" }), "tool_calls")],
  ["thoughts alone", (body) => streamed(body, [reasoningChunk("They were read.")], "stop")],
  ["half of it", () => ({ kind: "stream", chunks: [textChunk("<summary>Fi")], cut: "reset" })],
]

// Each of them ended the session ("summarization produced empty response"), or was taken for the summary.
test.each(wordless)("%s in place of the summary is not the end", (_name, first) =>
  withFolder(async (folder) => {
    const { result } = await play(folder, window, first)
    expect(result).toMatchObject({ is_error: false, result: "Compacted." })
  }),
)

test("where the window is not known, nobody but the model can say so", () =>
  withFolder(async (folder) => {
    const { result, sizes } = await play(folder, undefined)
    expect(result).toMatchObject({ is_error: false, result: "Never compacted." })
    expect(Math.max(...sizes)).toBeGreaterThan(window)
  }))
