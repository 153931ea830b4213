// What a refusal says, made easy to read: which fields it names as not taken, and whether it speaks of what the
// client wrote (its messages, its tools), where the names of fields mean nothing.

/** A refusal in lower case, with `maxTokens` as `max_tokens` and numbers without separators. */
export interface Words {
  readonly text: string
  /** The field that is named beside the words, empty where there is none. */
  readonly path: string
  /** The first part of that path. */
  readonly param: string
}

// Some echo what was sent: the provider's own words stand at the beginning.
const lookedAt = 1500

/** A refusal's message and the field it names, as words. */
export function wordsOf(refusal: { readonly message: string; readonly param: string | undefined }): Words {
  const path = plain(refusal.param ?? "").replace(/^body\./, "")
  const [param = ""] = path.split(/[.[]/)
  return { text: plain(refusal.message).replace(separator, ""), path, param }
}

// Between thousands; `[1,100]` and `(0,100]` are two numbers.
const separator = /(?<=\d)(?<!\[\d{1,9}|\(0),(?=\d{3}(?!\d))/g

const plain = (given: string): string =>
  withPlaces(given.slice(0, lookedAt))
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()

// pydantic's errors as Python writes them: `'loc': ('body', 'a', 1), 'msg': '...'`, and as text, with the place
// in a line of its own.
const step = "(?:'[^']{1,80}'|\"[^\"]{1,80}\"|\\d{1,6})"
const placeBeside = new RegExp(
  `['"]loc['"]: ?[([](${step}(?:, ?${step}){0,12}),?[)\\]], ?['"]msg['"]: ?['"]`,
  "g",
)
const placeAbove = /\n([\w.[\]-]{1,120})\n {1,4}(?=\S)/g

/** A text with every place that stands apart from what is said of it before that: `a.1.b: not permitted`. */
export function withPlaces(said: string): string {
  return said
    .replace(placeBeside, (_all, steps: string) => {
      const names = (steps.match(/[^'",\s]+/g) ?? []).filter((name, at) => at > 0 || name !== "body")
      return `\n${joined(names.join("."))}: `
    })
    .replace(placeAbove, (_all, place: string) => `\n${joined(place)}: `)
}

/** `typed-dict` and its like are steps too. */
const joined = (place: string): string => place.replaceAll("-", "_")

const contentFields: ReadonlySet<string> = new Set([
  ...["messages", "input", "tools", "tool_choice", "model"],
  ...["instructions", "functions", "system", "contents"],
])

const quotation =
  /\b(?:user|assistant|system|developer|tool|function)(?:'s)? (?:message|call|result|output|argument|content|prompt)s?\b\W{0,3}[:{"'`]/

const aboutContent: readonly RegExp[] = [
  // Places in the conversation or among the tools: `messages.0`, `tools[1]`, `'input', 3`.
  /\b(?:messages|input|tools|contents?|functions)(?:[.[]{1,2}|["'], ?)\d/,
  /(?:^|\n|[-:"'\]] ?)(?:messages|tools|system|contents): /,
  // A tool's schema.
  /function_declarations|\binput_schema\b|invalid (?:json )?schema for (?:function|tool)/,
  /\btools\.function\b|\bfunction\.parameters\b|tool call validation|\b(?:tool|function) call arguments? (?:for|of)\b/,
  // A model with the name of a field.
  /\bthe model \W?[\w./:-]{1,80}\W? (?:(?:is|was) not\b|does not (?!support))/,
  /\bmodel ["'`][^"'`]{1,80}["'`] (?:(?:is|was) not\b|does not (?!support))/,
  // What was written, with a quotation of it.
  quotation,
  /(?:could not|cannot|can't|failed to|unable to|error) pars(?:e|ing) (?:the )?(?:tool|function|argument|message|content|input)/,
]

/** Is it the conversation, a tool or the model that is refused? Field names in there mean nothing. */
export function isAboutContent({ text, param }: Words): boolean {
  return contentFields.has(param) || aboutContent.some((saying) => saying.test(text))
}

/** Does it quote what somebody wrote? Then no word in it is the provider's own. */
export function isQuotation({ text }: Words): boolean {
  return quotation.test(text)
}

// Each gives, in its group, one name or several with commas or "and" between them.
const name = "[a-z_]{3,40}"
const quote = "[\"'`]?"
const names = `[\\s:[{"'\`]{0,4}((?:body\\.)?${name}(?:${quote}(?:,| and|, and) ${quote}${name}){0,5})`
const noun =
  "(?:keyword argument|parameter|argument|property|option|field|name|key|input|setting)(?:s|\\(s\\))?"
const refused =
  "(?:not (?:yet )?(?:supported|allowed|permitted|available|recognized|implemented)|unsupported|deprecated|no longer supported)"
const noTaking = "(?:n't|not) (?:support|accept|allow)(?:s|ed)?(?: the)?"
const mayNot =
  "(?:may only be set|(?:must|should) be unset|(?:must|should) not be (?:set|specified|provided|used|present)|cannot be (?:set|specified|used|provided)(?! (?:both|together|at the same))|can only be \\d|must be (?:exactly )?1\\b|is immutable\\b)"
const refusing: readonly RegExp[] = [
  `(?:unsupported|unrecognized|unknown|unexpected|invalid|extra) (?:request )?${noun}(?: supplied| found)?${names}`,
  // OpenAI names the field here, but a value by "invalid value".
  `unsupported value${names}`,
  `${noun}${names}\\W{1,3}(?:is|are) (?:currently )?${refused}`,
  `${noTaking} ${noun}${names}`,
  `${noTaking}${names}\\W{1,3}${noun}`,
  `${noTaking} ${quote}(${name})${quote}(?=[ .,;)]|$)`,
  `${noun} (?:(?:is|are) )?${refused}:?${names}`,
  `(?:^|[^a-z_])(${name})\\W{1,3}${mayNot}`,
  `["'\`](${name})["'\`](?:, ["'\`]${name}["'\`]){0,5} (?:was|were) unexpected`,
  // Zhipu's words for it.
  `(${name})\\W{0,2} ?参数(?:非法|错误|不支持)`,
  `不支持(?:参数)?\\W{0,3}(${name})`,
  `(?:^|[^a-z_])(${name}(?:${quote} and ${quote}${name})?)\\W{1,3}(?:is|are|was) (?:currently )?${refused}`,
  `not supported (?:on|by|with|for) th(?:is|e) model:${names}`,
  `(?:^|[^a-z_.])(?:body\\.)?(${name})(?:\\.[a-z_.]{1,60})?: extra (?:inputs|fields)? ?(?:are )?not permitted`,
  `invalid (${name}): only`,
  `(?:^|[^a-z_])(${name})${quote} ?= ?\\W?[\\w.]{1,20}\\W? (?:is|are) ${refused}`,
  // Fireworks.
  `extra inputs are not permitted, field:${names}`,
].map((saying) => new RegExp(saying, "g"))

// Claude's newer models take one of the two only.
const exclusive =
  /temperature\W{1,3}and\W{1,3}top_p\W{1,3}(?:cannot|can't) both|both\W{1,3}temperature\W{1,3}and\W{1,3}top_p/

/** Says that something is not taken, in whatever words. */
export const refusalWords =
  /(?:n't|not) (?:yet )?(?:support|allowed|permitted|available|a valid|enabled|implemented|be combined)|unsupported|unavailable|invalid|unrecognized|unknown|must be|should be|not permitted|is only/

const saysUnknown =
  /(?:n't|not) (?:support|permitted|allowed)|unsupported|unrecognized|unknown|only the default/

// Of them Anthropic's and others' words have two names.
const noStops = new RegExp(
  `\\bstop[ _](?:sequences?|words?)\\W{1,3}(?:is|are) (?:currently )?${refused}|${noTaking} (?:any |custom )?stop[ _](?:sequences?|words?)\\b`,
)

/** Names of fields that the refusal says are not taken at all. */
export function refusedNames({ text, param }: Words): ReadonlySet<string> {
  if (exclusive.test(text)) return new Set(["top_p"])
  const found = refusing.flatMap((saying) =>
    [...text.matchAll(saying)].flatMap(([, group = ""]) => group.match(/[a-z_]{3,40}/g) ?? []),
  )
  if (noStops.test(text)) found.push("stop")
  return new Set(param !== "" && saysUnknown.test(text) ? [...found, param] : found)
}
