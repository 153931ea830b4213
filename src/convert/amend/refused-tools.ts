// Refusals of the tools: how many, a forced call, a strict schema, a keyword of JSON Schema.
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import { isForced } from "../request/tools.ts"
import { keywordsIn, schemaKeywords, structuralKeywords } from "./amend-schema.ts"
import type { TakenChoice } from "./amend-tools.ts"
import type { Amendment } from "./amendments.ts"
import type { Words } from "./refusal-words.ts"

const choiceNamed = /tool[_ ]choice|forc(?:es|ed|ing) tool use/
const choiceRefused =
  /(?:not|n't) (?:yet )?(?:support|allowed|permitted|available|enabled|be forced|compatible)|may not|unsupported|incompatible|invalid|unknown|unrecognized|unexpected|extra inputs|must be|should be|only|one of|no endpoints found/
// MiniMax behind a name that does not say so; it names nothing (eastreams/loong#382).
const unnamedChoice = /\binvalid chat setting \(2013\)/
// What sends them has to be changed, or another part of the request.
const otherTrouble =
  /requires --|not found in|no such tool|does not (?:match|exist)|unknown (?:tool|function)\b|tools? (?:is|are|must be) (?:required|provided|set)/

/** What a forced call may become, the nearest to what was wanted first. */
export function refusedChoice(body: ChatRequest, { text, param }: Words): readonly Amendment[] {
  const { tool_choice: choice } = body
  if (choice === undefined || choice === "none") return []
  if (unnamedChoice.test(text)) return [{ kind: "choice", to: "auto", whileThinking: false }]
  if (param !== "tool_choice" && !choiceNamed.test(text)) return []
  if ((param !== "tool_choice" && !choiceRefused.test(text)) || otherTrouble.test(text)) return []
  const whileThinking = /thinking|reasoning mode|enable_thinking/.test(text)
  if (!isForced(choice)) return [{ kind: "choice", to: "auto", whileThinking: false }]
  if (whileThinking) return [{ kind: "unthinking" }, { kind: "choice", to: "auto", whileThinking }]
  const taken = takenWords(text).filter((word) => word !== choice)
  return [...taken, "auto" as const].map((to) => ({ kind: "choice", to, whileThinking: false }))
}

function takenWords(text: string): readonly TakenChoice[] {
  const listed =
    /(?:one of|expected|must be|should be|only|(?:supported|valid|allowed)[a-z ]{0,20} values|supports?)\b(.{1,100})/.exec(
      text,
    )?.[1] ?? ""
  // "must be auto": whatever else is named there is what was sent.
  const words = listed.split(/\b(?:but|got|received|instead of|not)\b/, 1)[0] ?? ""
  return (["required", "any"] as const).filter((word) => new RegExp(`\\b${word}\\b`).test(words))
}

const offer = "(?:tools|functions|function declarations)"
// OpenAI (musistudio/claude-code-router#686), Groq, pydantic, and others' own words; a number behind `tools[` is none
// of how many.
const tooManyTools: readonly RegExp[] = [
  `\\b${offer}\\b(?![[.])(?<between>[^.;\\d]{0,60})\\b(?:maximum|at most|no more than|up to|limit|exceeds?)\\b(?: length\\b)?(?<of>[^.;\\d]{0,40})(?<most>\\d{1,4})\\b(?<behind>[^.;]{0,30})`,
  `\\b${offer}\\W{1,4}array too long\\. expected (?:at most|an array with maximum length) (?<most>\\d{1,4})\\b`,
  `\\b(?:maximum|at most|more than|up to|limit of)(?: of)?\\W{1,3}(?<most>\\d{1,4}) ${offer}\\b(?<behind>[^.;]{0,30})`,
  `\\bmaximum number of ${offer}\\b(?<of>[^.;\\d]{0,40})(?<most>\\d{1,4})\\b`,
].map((saying) => new RegExp(saying))
// What else there may be too much of.
const otherMeasure =
  /schema|depth|nest|level|propert|enum|argument|description|names?\b|character|length|bytes?\b|\bkb\b|tokens?\b|parallel|call(?:s|ed)?\b|turns?\b|minute|second|hour|day\b/
// Fewer than this no provider takes: such a number counts something else.
const leastTools = 8

/** More tools than are taken, more said of one, or none where some are wanted. */
export function refusedOffer(body: ChatRequest, { text }: Words): readonly Amendment[] {
  return [...tooMany(body, text), ...tooLong(text), ...withoutOffer(body, text)]
}

// Azure, and OpenAI's older models (OpenHands/OpenHands#4838, dnakov/anon-kode#45).
const longDescription =
  /\btools\[\d+\]\.(?:function\.)?description\W{1,4}string too long\. expected a string with maximum length (\d{2,6})\b/

function tooLong(text: string): readonly Amendment[] {
  const most = longDescription.exec(text)?.[1]
  return most === undefined ? [] : [{ kind: "descriptions", most: Number(most) }]
}

function tooMany({ tools = [] }: ChatRequest, text: string): readonly Amendment[] {
  for (const saying of tooManyTools) {
    const found = saying.exec(text)
    const { between = "", of = "", most: number = "", behind = "" } = found?.groups ?? {}
    const most = Number(number)
    if (otherMeasure.test(between + of + behind)) continue
    if (most >= leastTools && most < tools.length) return [{ kind: "tools", most }]
  }
  return []
}

// Bedrock behind gateways, LiteLLM before it (codemie-ai/codemie-code#544), and Anthropic, which alone knows the word
// "none".
const wantsTools =
  /\btool_?config field must be defined|tool calling without \W?tools=|\btool_(?:use|result)\b.{0,40}blocks must define .?tools\b/

function withoutOffer({ tools = [] }: ChatRequest, text: string): readonly Amendment[] {
  if (tools.length > 0 || !wantsTools.test(text)) return []
  return [{ kind: "past-tools", choice: text.includes("must define") }]
}

const strictNamed =
  /\bstrict\b[^.]{0,60}(?:extra inputs|not (?:permitted|supported|allowed)|unsupported|unknown|cannot find field)|(?:unknown|unsupported|unrecognized|unexpected|invalid) (?:parameter|field|name|argument|property|key)s?\W{1,4}(?:[\w.[\]]{0,40}\.)?strict\b|property \W?strict\W? is/
const strictRules =
  /invalid schema for (?:function|response_format|tool)|is required to be supplied|strict (?:mode|schema|tool)|\bstrict\b.{0,40}(?:true|schema)/

/** Schemas that are marked as strict have rules of their own: without the mark most of them are taken. */
export function refusedStrict(body: ChatRequest, { text, path }: Words): readonly Amendment[] {
  const format = body.response_format
  const isMarked =
    body.tools?.some((tool) => tool.type === "function" && tool.function.strict !== undefined) ||
    (format?.type === "json_schema" && format.json_schema.strict !== undefined)
  if (!isMarked) return []
  const isNamed = /(?:^|\.)strict$/.test(path) || strictNamed.test(text)
  return isNamed || strictRules.test(text) ? [{ kind: "strict" }] : []
}

const canonical: ReadonlyMap<string, string> = new Map(
  [...schemaKeywords, ...structuralKeywords].map((name) => [name.toLowerCase(), name]),
)

/** Some say `exclusive_minimum`. */
const keywordOf = (word: string): string | undefined => canonical.get(word.replaceAll("_", "").toLowerCase())

const word = "[$]?[A-Za-z_]{2,30}"
const listOfWords = `(${word}(?:['"\`]{0,2}(?:,| and|, and| or) ['"\`]{0,2}${word}){0,9})`
const refusedWord =
  "(?:not (?:permitted|supported|allowed|recognized|a (?:valid|supported|known))|unsupported|unknown)"
const sayings: readonly RegExp[] = [
  `['"\`]${listOfWords}['"\`] (?:is|are) ${refusedWord}`,
  `(?:unsupported|unknown|unrecognized|unexpected|invalid|forbidden|disallowed)(?: json)?(?: schema)? (?:keyword|field|propert(?:y|ies)|key|attribute|name|constraint|feature)s?(?: found)?(?: in (?:the )?schema)?[\\s:('"\`[{]{1,6}${listOfWords}`,
  `(?:keyword|field|attribute|constraint)s? ['"\`]{0,2}${listOfWords}['"\`]{0,2},? (?:is|are)? ?${refusedWord}`,
  `propert(?:y|ies) ['"\`]{0,2}${listOfWords}['"\`]{0,2} (?:(?:is|are) )?${refusedWord}`,
  `(?:not|n't) support(?:ed)?(?: the)?(?: json)?(?: schema)? (?:keyword|feature|field|constraint)s?[\\s:'"\`(]{1,4}${listOfWords}`,
  `\\.(${word}): (?:extra (?:inputs|fields)|unknown|unsupported|not (?:supported|allowed|permitted))`,
  `for schema with types \\[[^\\]]{0,100}\\]: \\{([^}]{1,200})\\}`,
  `json schema (?:fields|keywords): \\{([^}]{1,200})\\}`,
  `['"\`](${word})['"\`]?(?:: (?:true|false|object))?['"\`]? is not (?:supported|permitted|allowed) (?:in|by|for|with)`,
  // A keyword without quotes is a word like others: it has to begin what is said.
  `(?:^|[\\].:;,] ?|\\b(?:keyword|field|attribute) )(${word}) (?:is|are) ${refusedWord} (?:in|by|for|with)(?: the| a| your| this)?(?: json| tool| function| input| parameter)* schemas?\\b`,
].map((saying) => new RegExp(saying, "gi"))
const badFormat =
  /is not a valid format|only 'enum' and 'date-time' are supported|(?:unsupported|unknown|invalid) (?:string )?format\b(?!.{0,10}response)/i

// Gemini names every one in a line of its own, more of them than a message has room for.
const geminiNames = /unknown name \\{0,3}"([$\w]{1,40})\\{0,3}" at '([^']{1,400})'/gi
const schemaPlace =
  /function_declarations|functiondeclarations|parameters|response_?(?:json_)?schema|json_?schema/i

function geminiKeywords(said: string): readonly string[] {
  return [...said.matchAll(geminiNames)].flatMap(([, name = "", place = ""]) =>
    schemaPlace.test(place) ? [name] : [],
  )
}

const ofSchema = /schema|function_?declarations|parameters|\btools?\b|functions?\b/i
const geminiStyle =
  /function_?declarations?\b|proto field is not repeating|only allowed for string type|didn't specify the schema type|should be non-empty for object type/i
const grammar =
  /(?:pars|compil|build|creat|initializ|convert)\w{0,20}[^.]{0,20}\bgrammar\b|\bgrammar\b[^.]{0,30}(?:error|failed|invalid|could not)|json schema conversion failed|supported by (?:xgrammar|outlines|guidance|llguidance)|pattern must start with|failed to initialize samplers|invalid decoding guidance/i

// What a grammar may still fail on, once everything else is as it wants it.
const hardForGrammars = [
  ...["pattern", "format", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"],
  ...["exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems", "const", "additionalProperties"],
]

/** What may be changed in the schemas. `said` is the reply as it came, of which `given` is the message. */
export function refusedSchema(body: ChatRequest, given: string, said: string): readonly Amendment[] {
  if (body.tools === undefined && body.response_format === undefined) return []
  if (grammar.test(given)) return forGrammars(body)
  const names = geminiKeywords(said)
  const isGemini = names.length > 0 || geminiStyle.test(given)
  if (!isGemini && !ofSchema.test(given)) return []
  const words = names.length > 0 ? names : wordsIn(given)
  const known = words.flatMap((one) => keywordOf(one) ?? [])
  const present = keywordsIn(body)
  const found = [...new Set(badFormat.test(given) ? [...known, "format"] : known)].filter((one) =>
    present.has(one),
  )
  const plain = found.filter((one) => !structuralKeywords.has(one))
  const rules: readonly Amendment[] =
    isGemini || plain.length < found.length ? [{ kind: "schema", rules: "gemini" }] : []
  const flavoured: readonly Amendment[] = /moonshot flavored/i.test(given)
    ? [{ kind: "schema", rules: "moonshot" }]
    : []
  const named: readonly Amendment[] =
    plain.length === 0 ? [] : [{ kind: "keywords", names: plain.toSorted() }]
  return [...flavoured, ...named, ...rules]
}

// Fireworks shows the schema, of which only the keys are keywords.
const instance = /could not understand the instance \W{0,2}\{([^}]{1,300})\}/gi
const key = /['"]([$A-Za-z_]{2,30})['"] ?:/g

function wordsIn(given: string): readonly string[] {
  const words = sayings.flatMap((saying) => [...given.matchAll(saying)].map(([, group = ""]) => group))
  for (const [, shown = ""] of given.matchAll(instance)) {
    words.push(...[...shown.matchAll(key)].map(([, name = ""]) => name))
  }
  return words.flatMap((group) => group.match(/[$]?[A-Za-z_]{2,30}/g) ?? [])
}

function forGrammars(body: ChatRequest): readonly Amendment[] {
  const present = keywordsIn(body)
  // The other form of a bound would stand in its place.
  const sayable = new Set([...present].map((name) => name.replace(/^exclusiveM/, "m")))
  const names = hardForGrammars.filter((name) => present.has(name) || sayable.has(name))
  return [
    { kind: "schema", rules: "llama" },
    ...(names.length === 0 ? [] : [{ kind: "keywords", names } as const]),
    { kind: "format", to: "none", lasting: false },
  ]
}
