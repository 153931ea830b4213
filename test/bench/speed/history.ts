// Conversations as Claude Code has them: a long system prompt, tools with schemas, and turns in which files are read
// and edited. The same conversation in the words of both APIs.
import { createRandom, type Random } from "../../support/random.ts"
import type { Dialect } from "./work.ts"

interface Call {
  readonly id: string
  readonly name: string
  readonly input: Readonly<Record<string, string | number>>
  readonly result: string
}

interface Turn {
  readonly asked: string
  readonly said: string
  readonly calls: readonly Call[]
}

interface Conversation {
  readonly system: readonly string[]
  readonly tools: readonly Tool[]
  readonly turns: readonly Turn[]
  readonly last: string
}

interface Tool {
  readonly name: string
  readonly description: string
  readonly schema: object
}

const words = [
  ..."the file reads its lines and returns a list of names where each one has been seen before".split(" "),
  ..."const export function return await import interface readonly string number undefined".split(" "),
  ..."error value index request response stream buffer message option result handler config".split(" "),
]

function sentence(random: Random, length: number): string {
  return `${Array.from({ length }, () => random.pick(words)).join(" ")}.`
}

/** Source code to the eye: indented lines with quotes, braces, tabs and now and then more than ASCII. */
function sourceText(random: Random, lines: number): string {
  const line = (_: unknown, at: number): string => {
    const indent = "  ".repeat(random.integer(0, 4))
    const name = `${random.pick(words)}${random.integer(0, 99)}`
    const text = random.chance(0.02) ? "naïve → “quoted”" : sentence(random, 3)
    const code = random.pick([
      `const ${name} = { ${random.pick(words)}: "${text}", at: ${at} }`,
      `if (${name} !== undefined) return ${random.pick(words)}(${name}, \`${text}\`)`,
      `// ${sentence(random, 9)}`,
      `}\t`,
    ])
    return `${String(at + 1).padStart(6)}→${indent}${code}`
  }
  return Array.from({ length: lines }, line).join("\n")
}

const toolNames =
  "Bash Read Edit Write Glob Grep Task WebFetch WebSearch TodoWrite NotebookEdit KillShell".split(" ")

function toolOf(name: string, random: Random): Tool {
  const described = (type: object) => ({ ...type, description: sentence(random, 20) })
  const schema = {
    type: "object",
    properties: {
      file_path: described({ type: "string" }),
      content: described({ type: "string" }),
      limit: described({ type: "integer", minimum: 1, maximum: 2000 }),
      mode: described({ type: "string", enum: ["content", "files_with_matches", "count"] }),
      todos: described({
        type: "array",
        items: { type: "object", properties: { done: { type: "boolean" }, text: { type: "string" } } },
      }),
    },
    required: ["file_path"],
    additionalProperties: false,
  }
  return { name, description: sentence(random, 120), schema }
}

function turnOf(number: number, random: Random): Turn {
  const calls = Array.from({ length: random.integer(1, 2) }, (_, at): Call => {
    const id = `toolu_bench${String(number).padStart(6, "0")}${at}`
    const file = `/home/user/project/src/${random.pick(words)}.ts`
    if (random.chance(0.7))
      return {
        id,
        name: "Read",
        input: { file_path: file, limit: 200 },
        result: sourceText(random, random.integer(40, 160)),
      }
    const content = sourceText(random, random.integer(10, 60))
    return { id, name: "Write", input: { file_path: file, content }, result: sentence(random, 12) }
  })
  return { asked: sentence(random, 30), said: sentence(random, 50), calls }
}

/** About `bytes` of JSON, in either dialect. */
function conversationOf(bytes: number): Conversation {
  const random = createRandom(bytes)
  const paragraphs = (count: number) => Array.from({ length: count }, () => sentence(random, 60)).join("\n\n")
  const system = ["You are Claude Code, a tool for programmers.", paragraphs(30)]
  const tools = toolNames.map((name) => toolOf(name, random))
  const turns: Turn[] = []
  let size = JSON.stringify({ system, tools }).length
  while (size < bytes) {
    const turn = turnOf(turns.length, random)
    turns.push(turn)
    size += JSON.stringify(turn).length
  }
  return { system, tools, turns, last: "Now go on, and do not stop before all is done." }
}

function messagesBody({ system, tools, turns, last }: Conversation): object {
  const text = (words: string) => ({ type: "text", text: words })
  const cached = (words: string) => ({ ...text(words), cache_control: { type: "ephemeral" } })
  // What was found goes back together with the next question.
  const results = (turn: Turn | undefined) =>
    (turn?.calls ?? []).map(({ id, result }) => ({ type: "tool_result", tool_use_id: id, content: result }))
  const messages = turns.flatMap((turn, at) => [
    { role: "user", content: [...results(turns[at - 1]), text(turn.asked)] },
    {
      role: "assistant",
      content: [
        text(turn.said),
        ...turn.calls.map(({ id, name, input }) => ({ type: "tool_use", id, name, input })),
      ],
    },
  ])
  return {
    system: system.map(cached),
    tools: tools.map(({ name, description, schema }) => ({ name, description, input_schema: schema })),
    messages: [...messages, { role: "user", content: [...results(turns.at(-1)), cached(last)] }],
    metadata: { user_id: "user_bench_account__session_00000000-0000-4000-8000-000000000000" },
  }
}

function chatBody({ system, tools, turns, last }: Conversation): object {
  const results = (turn: Turn | undefined) =>
    (turn?.calls ?? []).map(({ id, result }) => ({ role: "tool", tool_call_id: id, content: result }))
  const call = ({ id, name, input }: Call) => ({
    id,
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  })
  return {
    messages: [
      { role: "system", content: system.join("\n\n") },
      ...turns.flatMap((turn, at) => [
        ...results(turns[at - 1]),
        { role: "user", content: turn.asked },
        { role: "assistant", content: turn.said, tool_calls: turn.calls.map(call) },
      ]),
      ...results(turns.at(-1)),
      { role: "user", content: last },
    ],
    tools: tools.map(({ name, description, schema }) => ({
      type: "function",
      function: { name, description, parameters: schema },
    })),
  }
}

/** The fields of a request that make the conversation. */
export function historyBody(bytes: number, dialect: Dialect): object {
  const conversation = conversationOf(bytes)
  return dialect === "chat" ? chatBody(conversation) : messagesBody(conversation)
}
