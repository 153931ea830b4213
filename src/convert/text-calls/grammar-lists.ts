// Dialects of tool calls in text whose calls are JSON behind a tag, or are written in another notation than JSON.
import {
  bracket,
  choice,
  choiceOr,
  end,
  json,
  list,
  minimaxMark as mark,
  object,
  offeredName,
  option,
  python,
  type Step,
  type Steps,
  value,
  whole,
  word,
} from "./steps.ts"

/** JSON behind a tag: one call, a list of them, or several one after another. */
function listed(at: string, ...ends: readonly string[]): Steps {
  const closers = ends.map((tag) => option(tag, end))
  const [object1, list1] = [object(`${at}.json`), list(`${at}.json`)]
  return [
    [at, choice(object1, list1)],
    [`${at}.json`, json("calls", `${at}.end`)],
    [`${at}.end`, whole(choiceOr(end, ...closers, option(";", at), object1, list1))],
  ]
}

// Qwen2.5-Coder, in tags of its own; Granite and Phi-4-mini; MiniMax-M1, Jamba and Hunyuan; Nemotron; Cohere; InternLM; LongCat; Llama 3.
const lists: Steps = [
  ...listed("tools", "</tools>"),
  ...listed("one", "</function_call>"),
  ...listed("bar", "<|/tool_call|>"),
  ...listed("plural", "</tool_calls>"),
  ...listed("nemotron", "</TOOLCALL>"),
  ...listed("cohere", "<|END_ACTION|>"),
  ["internlm", choice(option("<|plugin|>", "plugin"))],
  ...listed("plugin", "<|action_end|>"),
  ...listed("longcat", "</longcat_tool_call>"),
  ...listed("llama", "<|eom_id|>", "<|eot_id|>"),
]

/** Gemma 4 and FunctionGemma: a name, then bare keys and strings between tokens. */
function gemmaSteps(at: string, open: string, close: string, response: string): Steps {
  return [
    [at, choice(option("call:", `${at}.name`))],
    [`${at}.name`, word("name", `${at}.args`)],
    [`${at}.args`, choice(object(`${at}.raw`), bracket(`${at}.raw`))],
    [`${at}.raw`, value("braced", close, `${at}.end`)],
    [`${at}.end`, whole(choiceOr(end, option(response, end), option(open, at)))],
  ]
}

/** A call as Python writes it: a name, and arguments between brackets. */
function pythonSteps(at: string): Steps {
  return [
    [at, offeredName(`${at}.open`)],
    [`${at}.open`, choice(bracket(`${at}.args`))],
    [`${at}.args`, python("python", `${at}.after`)],
  ]
}

// LFM2 and Llama 4: a list of calls as Python writes them; OLMo 3: one after another, without the list
// (vllm-project/vllm#26143). OpenAI's open models: a message with a recipient, in the form that harmony.ts leaves it in.
const others: Steps = [
  ["lfm", choice(list("lfm.raw"), object("lfm.raw"))],
  ["lfm.raw", value("written", "<|tool_call_end|>", end)],
  ["llama4", choice(list("llama4.raw"), object("llama4.raw"))],
  ["llama4.raw", value("written", "<|python_end|>", end)],
  ...pythonSteps("olmo"),
  ["olmo.after", whole(choiceOr("olmo", option("</function_calls>", end)))],
  ...gemmaSteps("gemma", "<|tool_call>", "<tool_call|>", "<|tool_response>"),
  ...gemmaSteps("gemma3", "<start_function_call>", "<end_function_call>", "<start_function_response>"),
  ["harmony", word("name", "harmony.open")],
  ["harmony.open", choice(option("<|message|>", "harmony.args"))],
  ["harmony.args", choice(object("harmony.json"))],
  ["harmony.json", json("args", "harmony.end")],
  ["harmony.end", whole(choiceOr(end, option("<|call|>", end)))],
]

// Mistral: a list of calls; newer models: a name and its arguments. LM Studio: JSON between two marks.
const bracketed: Steps = [
  ["mistral", choiceOr("mistral.name", list("mistral.list"), object("mistral.list"))],
  ["mistral.list", json("calls", end)],
  ["mistral.name", word("name", "mistral.open")],
  [
    "mistral.open",
    choice(option("[ARGS]", "mistral.args"), option("[CALL_ID]", "mistral.id"), object("mistral.json")),
  ],
  ["mistral.id", word("id", "mistral.id.end")],
  ["mistral.id.end", choice(option("[ARGS]", "mistral.args"))],
  ["mistral.args", choice(object("mistral.json"))],
  ["mistral.json", json("args", end)],
  ["request", choice(object("request.json"))],
  ["request.json", json("calls", "request.end")],
  ["request.end", whole(choiceOr("request.junk", option("[END_TOOL_REQUEST]", end)))],
  ["request.junk", value("junk", "[END_TOOL_REQUEST]", end)],
]

// MiniMax-M3: a mark before every tag, and parameters in tags of their names; a server may have taken the marks out.
const invoke = '<invoke name="'
export const markedInvokes = [option(mark + invoke, "marked.name"), option(invoke, "marked.name")] as const
const markedEnds = [option(`${mark}</tool_call>`, end), option("</tool_call>", end)]

function markedSteps(at: string, after: Step): Steps {
  return [
    [`${at}.name`, word("name", `${at}.open`)],
    [`${at}.open`, choice(option('">', `${at}.body`))],
    [`${at}.body`, value("marked", "</invoke>", `${at}.after`, invoke)],
    [`${at}.after`, whole(after)],
  ]
}

const marked: Steps = [
  ["marked", choice(...markedInvokes)],
  ...markedSteps("marked", choice(...markedEnds, ...markedInvokes)),
  ...markedSteps("marked1", choiceOr(end, ...markedEnds)),
]

// MiniMax-M2.7: `{tool => "NAME", args => { --KEY "VALUE" }}` (NousResearch/hermes-agent#35935).
const flags: Steps = [
  ["flags", choice(option("{", "flags.tool"))],
  ["flags.tool", choice(option("tool", "flags.arrow"))],
  ["flags.arrow", choice(option("=>", "flags.quote"))],
  ["flags.quote", choice(option('"', "flags.name"))],
  ["flags.name", offeredName("flags.name.end")],
  ["flags.name.end", choice(option('"', "flags.comma"))],
  ["flags.comma", choice(option(",", "flags.args"))],
  ["flags.args", choice(option("args", "flags.to"))],
  ["flags.to", choice(option("=>", "flags.body"))],
  ["flags.body", choice(object("flags.all"))],
  ["flags.all", json("flags", "flags.close")],
  ["flags.close", choice(option("}", "flags.after"))],
  ["flags.after", whole(choice(option("[/TOOL_CALL]", end), option("{", "flags.tool")))],
]

/** `{"name": "NAME", "parameters": {…}}`, also behind its type; no more of it is held than looks like one. */
function bareSteps(at: string, after: string): Steps {
  return [
    [at, choice(option('"name"', `${at}.colon`), option('"type"', `${at}.type`))],
    [`${at}.type`, choice(option(":", `${at}.kind`))],
    [`${at}.kind`, choice(option('"function"', `${at}.then`))],
    [`${at}.then`, choice(option(",", `${at}.named`))],
    [`${at}.named`, choice(option('"name"', `${at}.colon`))],
    [`${at}.colon`, choice(option(":", `${at}.quote`))],
    [`${at}.quote`, choice(option('"', `${at}.name`))],
    [`${at}.name`, offeredName(`${at}.name.end`)],
    [`${at}.name.end`, choice(option('"', `${at}.comma`))],
    [`${at}.comma`, choice(option(",", `${at}.key`))],
    [`${at}.key`, choice(option('"parameters"', `${at}.between`), option('"arguments"', `${at}.between`))],
    [`${at}.between`, choice(option(":", `${at}.args`))],
    [`${at}.args`, choice(object(`${at}.json`))],
    [`${at}.json`, json("args", `${at}.end`)],
    [`${at}.end`, choice(option("}", after))],
  ]
}

// Llama 3 writes the bare call, xLAM a list of them, Llama 4 a list as in Python.
const bare: Steps = [
  ...bareSteps("bare1", "bare1.after"),
  ["bare1.after", whole(choiceOr(end, option(";", "bare1.more"), option("{", "bare1")))],
  ["bare1.more", choice(option("{", "bare1"))],
  ["bares", choiceOr("python", option("{", "bares1"))],
  ...bareSteps("bares1", "bares1.after"),
  ["bares1.after", choice(option("]", end), option(",", "bares1.more"))],
  ["bares1.more", choice(option("{", "bares1"))],
  ...pythonSteps("python"),
  ["python.after", choice(option("]", end), option(",", "python"))],
]

// Qwen2.5-Coder puts the same into a fence, in long prompts nearly always (ollama/ollama#16821, ardanlabs/kronk#950).
const fenced: Steps = [
  ["fence", choiceOr("fence.open", option("json", "fence.open"), option("tool_call", "fence.open"))],
  ["fence.open", choice(option("{", "fence1"), option("[", "fences.more"))],
  ...bareSteps("fence1", "fence1.after"),
  ["fence1.after", whole(choice(option("```", "fence.after"), option("{", "fence1")))],
  ...bareSteps("fences1", "fences1.after"),
  ["fences1.after", choice(option("]", "fences.end"), option(",", "fences.more"))],
  ["fences.more", choice(option("{", "fences1"))],
  ["fences.end", whole(choice(option("```", "fence.after")))],
  ["fence.after", whole(choiceOr(end, option("```", "fence")))],
]

const fence = "```"

/** What begins a call that stands by itself: it is one only where it is the whole reply. */
export const bareOpeners = [option("{", "bare1"), option("[", "bares"), option(fence, "fence")] as const

/** Is it the one of them that Markdown knows, too? */
export const isFence = (opener: string): boolean => opener === fence

/** Was it begun by one of them? */
export const isBare = (opener: string): boolean => bareOpeners.some(({ literal }) => literal === opener)

/** All of them. */
export const moreSteps: Steps = [...lists, ...others, ...bracketed, ...marked, ...flags, ...bare, ...fenced]
