// The dialects in which open models write tool calls as text, as one table of steps: the machine that walks it knows
// no dialect. Shapes: the chat templates of the models named, and what servers for them read.
import { markedInvokes, moreSteps } from "./grammar-lists.ts"
import {
  choice,
  choiceOr,
  closing,
  end,
  json,
  list,
  minimaxMark,
  type Option,
  object,
  option,
  type Step,
  type Steps,
  type Take,
  value,
  whole,
  word,
} from "./steps.ts"

// Hermes and Qwen: JSON between the tags. GLM: a name, then keys and values. Qwen3-Coder: a function inside.
const tagged: Steps = [
  [
    "tag",
    choiceOr(
      "glm.name",
      object("tag.json"),
      list("tag.json"),
      option("<function=", "tag.fn.name"),
      ...markedInvokes,
    ),
  ],
  ["tag.json", json("calls", "tag.end")],
  ["tag.end", whole(choiceOr("tag.junk", option("</tool_call>", end), object("tag.json"), list("tag.json")))],
  ["tag.junk", value("junk", "</tool_call>", end)],
  ["tag.fn.end", whole(choice(option("</tool_call>", end), option("<function=", "tag.fn.name")))],
  ["glm.name", word("name", "glm.next")],
  ["glm.next", choice(closing("</tool_call>", end), option("<arg_key>", "glm.key"))],
  ["glm.key", word("key", "glm.key.end")],
  ["glm.key.end", choice(option("</arg_key>", "glm.value"))],
  ["glm.value", choice(option("<arg_value>", "glm.raw"))],
  ["glm.raw", value("value", "</arg_value>", "glm.next", "<arg_")],
]

/** Qwen3-Coder and Llama: `<function=NAME>` with parameters on lines of their own, or with JSON. */
function functionSteps(at: string, after: string): Steps {
  const parameter = option("<parameter=", `${at}.key`)
  const close = closing("</function>", after)
  return [
    [`${at}.name`, word("name", `${at}.open`)],
    [`${at}.open`, choice(option(">", `${at}.first`))],
    [`${at}.first`, choice(close, parameter, object(`${at}.json`))],
    [`${at}.next`, choice(close, parameter)],
    [`${at}.key`, word("key", `${at}.key.end`)],
    [`${at}.key.end`, choice(option(">", `${at}.raw`))],
    [`${at}.raw`, value("lines", "</parameter>", `${at}.next`, "<parameter=")],
    [`${at}.json`, json("args", `${at}.json.end`)],
    [`${at}.json.end`, whole(choice(option("</function>", after)))],
  ]
}

// The model often leaves out the first tag of the pair around it, and not the second.
const functions: Steps = [
  ...functionSteps("tag.fn", "tag.fn.end"),
  ...functionSteps("fn", "fn.end"),
  ["fn.end", whole(choiceOr(end, option("</tool_call>", end)))],
]

// Seed-OSS puts such functions between tags of its own.
const seed: Steps = [
  ["seed", choice(option("<function=", "seed.fn.name"))],
  ...functionSteps("seed.fn", "seed.fn.end"),
  ["seed.fn.end", whole(choice(option("</seed:tool_call>", end), option("<function=", "seed.fn.name")))],
]

const kimiEnds = ["<|tool_calls_section_end|>", "<|tool_call_section_end|>"]

function kimiSteps(at: string): Steps {
  return [
    [`${at}.name`, word("name", `${at}.open`)],
    [`${at}.open`, choice(option("<|tool_call_argument_begin|>", `${at}.args`))],
    [`${at}.args`, choice(object(`${at}.json`))],
    [`${at}.json`, json("args", `${at}.end`)],
    [`${at}.end`, whole(choice(option("<|tool_call_end|>", `${at}.after`)))],
  ]
}

const kimi: Steps = [
  ["kimi", choice(option("<|tool_call_begin|>", "kimi.name"))],
  ...kimiSteps("kimi"),
  [
    "kimi.after",
    whole(choice(...kimiEnds.map((tag) => option(tag, end)), option("<|tool_call_begin|>", "kimi.name"))),
  ],
  ...kimiSteps("kimi1"),
  ["kimi1.after", whole(choiceOr(end, ...kimiEnds.map((tag) => option(tag, end))))],
]

/** `<invoke name="NAME">` with parameters; `mark` stands before each tag's name. */
function invokeSteps(at: string, mark: string, after: string): Steps {
  const parameter = option(`<${mark}parameter name="`, `${at}.key`)
  const raw = (take: Take): Step =>
    value(take, `</${mark}parameter>`, `${at}.next`, `<${mark}parameter name=`)
  return [
    [`${at}.name`, word("name", `${at}.open`)],
    [`${at}.open`, choice(option('">', `${at}.next`))],
    [`${at}.next`, choice(closing(`</${mark}invoke>`, after), parameter)],
    [`${at}.key`, word("key", `${at}.key.end`)],
    [
      `${at}.key.end`,
      choice(
        option('">', `${at}.raw`),
        option('" string="true">', `${at}.string`),
        option('" string="false">', `${at}.literal`),
      ),
    ],
    [`${at}.raw`, raw("value")],
    [`${at}.string`, raw("string")],
    [`${at}.literal`, raw("literal")],
  ]
}

/** Invocations between two tags; `other`: what else may stand there. */
function wrapped(at: string, mark: string, close: string, other?: string): Steps {
  const invoke = option(`<${mark}invoke name="`, `${at}.name`)
  return [
    [at, other === undefined ? choice(invoke) : choiceOr(other, invoke)],
    ...invokeSteps(at, mark, `${at}.after`),
    [`${at}.after`, whole(choice(option(close, end), invoke))],
  ]
}

// DeepSeek's mark, and what models and servers make of its bars (lsdefine/GenericAgent#804).
const dsmlMarks = ["｜DSML｜", "｜｜DSML｜｜", "‖DSML‖", "|DSML|"] as const

/** Invocations with such a mark in every tag, in a pair of tags or without the first of them. */
function dsmlSteps(mark: string): Steps {
  const [calls, tools] = [`</${mark}function_calls>`, `</${mark}tool_calls>`]
  return [
    ...wrapped(`${mark}calls`, mark, calls),
    ...wrapped(`${mark}tools`, mark, tools),
    ...invokeSteps(mark, mark, `${mark}.after`),
    [`${mark}.after`, whole(choiceOr(end, option(calls, end), option(tools, end)))],
  ]
}

const invocations: Steps = [
  ...wrapped("minimax", "", "</minimax:tool_call>"),
  ...wrapped("calls", "", "</function_calls>", "olmo"),
  ...dsmlMarks.flatMap(dsmlSteps),
  ...invokeSteps("invoke", "", "invoke.after"),
  [
    "invoke.after",
    whole(choiceOr(end, option("</minimax:tool_call>", end), option("</function_calls>", end))),
  ],
]

const callBegin = "<｜tool▁call▁begin｜>"
const callsEnd = "<｜tool▁calls▁end｜>"

/** DeepSeek V3 and R1: a type, the name, fenced JSON; V3.1: the name and bare JSON. */
function deepseekSteps(at: string): Steps {
  const fences = [option("```json", `${at}.fence`), option("```", `${at}.fence`)]
  return [
    [`${at}.head`, word("name", `${at}.open`)],
    [`${at}.open`, choice(option("<｜tool▁sep｜>", `${at}.sep`))],
    [`${at}.sep`, choiceOr(`${at}.name`, object(`${at}.json`))],
    [`${at}.name`, word("name", `${at}.args`)],
    [`${at}.args`, choice(...fences, object(`${at}.json`))],
    [`${at}.fence`, choice(object(`${at}.fenced`))],
    [`${at}.fenced`, json("args", `${at}.fence.end`)],
    [`${at}.fence.end`, whole(choice(option("```", `${at}.end`)))],
    [`${at}.json`, json("args", `${at}.end`)],
    [`${at}.end`, whole(choice(option("<｜tool▁call▁end｜>", `${at}.after`)))],
  ]
}

const deepseek: Steps = [
  ["deepseek", choice(option(callBegin, "deepseek.head"))],
  ...deepseekSteps("deepseek"),
  ["deepseek.after", whole(choice(option(callsEnd, end), option(callBegin, "deepseek.head")))],
  ...deepseekSteps("deepseek1"),
  ["deepseek1.after", whole(choiceOr(end, option(callsEnd, end)))],
]

export const steps: ReadonlyMap<string, Step> = new Map([
  ...[...tagged, ...functions, ...seed, ...kimi, ...moreSteps, ...invocations, ...deepseek],
])

/** What begins a section, and its first step. */
export const openers: readonly Option[] = [
  option("<tool_call>", "tag"),
  option("<function=", "fn.name"),
  option("<|tool_calls_section_begin|>", "kimi"),
  option("<|tool_call_section_begin|>", "kimi"),
  option("<|tool_call_begin|>", "kimi1.name"),
  option("<minimax:tool_call>", "minimax"),
  option("<function_calls>", "calls"),
  option('<invoke name="', "invoke.name"),
  ...dsmlMarks.flatMap((mark) => [
    option(`<${mark}function_calls>`, `${mark}calls`),
    option(`<${mark}tool_calls>`, `${mark}tools`),
    option(`<${mark}invoke name="`, `${mark}.name`),
  ]),
  option("<｜tool▁calls▁begin｜>", "deepseek"),
  option(callBegin, "deepseek1.head"),
  option("<seed:tool_call>", "seed"),
  option("<|tool_call|>", "bar"),
  option("<tool_calls>", "plural"),
  option("<TOOLCALL>", "nemotron"),
  option("<|START_ACTION|>", "cohere"),
  option("<|action_start|>", "internlm"),
  option("<longcat_tool_call>", "longcat"),
  option("<|python_tag|>", "llama"),
  option("<|tool_call_start|>", "lfm"),
  option("<|python_start|>", "llama4"),
  option("<|tool_call>", "gemma"),
  option("<start_function_call>", "gemma3"),
  option("<|channel|>commentary to=", "harmony"),
  option("<tools>", "tools"),
  option("<function_call>", "one"),
  option(`${minimaxMark}<tool_call>`, "marked"),
  option(`${minimaxMark}<invoke name="`, "marked1.name"),
  option("[TOOL_CALLS]", "mistral"),
  option("[TOOL_CALL]", "flags"),
  option("[TOOL_REQUEST]", "request"),
]

/** The opener that stands at this place of the text. */
export const openerAt = (text: string, at: number): Option | undefined =>
  openers.find(({ literal }) => text.startsWith(literal, at))

/** Openers that are special tokens: nobody writes them in a sentence by chance. */
export const isToken = ({ literal }: Option): boolean => /^(?:<[|｜‖]|\]<\]|\[TOOL_CALLS\])/.test(literal)

const ends = [...steps.values()].flatMap((step) => {
  if (step.kind === "value") return [step.until]
  return step.kind === "choice" ? step.options.map(({ literal }) => literal) : []
})

/** What closes calls, whether or not it was opened. */
export const closers: readonly string[] = [
  ...new Set([
    ...ends.filter((literal) => /^(?:(?:\]<\]minimax\[>\[)?<\/|\[END|\[\/)/.test(literal)),
    ...["</tool_calls>", "</tools>", "[/TOOL_CALLS]", "</s>"],
  ]),
]
