// Amendments as they are kept: read back from JSON that any version of this program may have written, and said
// in a few words to people.
import { reasoningEfforts } from "../../protocol/chat/chat.ts"
import { arrayOf, type JsonObject, lookUp, objectOf, textOf } from "../../protocol/json.ts"
import { schemaRules } from "../../providers/profile.ts"
import { limitFields, nestedFields, optionalFields, type Range, rangedFields } from "./amend-fields.ts"
import { messageMembers } from "./amend-messages.ts"
import { reasoningWanted } from "./amend-reasoning.ts"
import { schemaKeywords } from "./amend-schema.ts"
import { type Amendment, type BodyAmendment, isLasting } from "./amendments.ts"

/** The amendment, if it is one that holds for later requests; undefined for anything that is not known here. */
export function readAmendment(value: unknown): Amendment | undefined {
  const given = objectOf(value)
  const kind = textOf(given["kind"])
  const read = kind === undefined ? undefined : lookUp(readers, kind)
  const amendment = read?.(given)
  return amendment !== undefined && isLasting(amendment) ? amendment : undefined
}

type Reader = (given: JsonObject) => Amendment | undefined

const readers: Readonly<Record<string, Reader>> = {
  summary: () => ({ kind: "summary" }),
  encrypted: () => ({ kind: "encrypted" }),
  opening: () => ({ kind: "opening" }),
  between: () => ({ kind: "between" }),
  reasoning: ({ on }) => {
    const known = among(reasoningWanted, on)
    return known === undefined ? undefined : { kind: "reasoning", on: known }
  },
  single: () => ({ kind: "single" }),
  absent: () => ({ kind: "absent" }),
  text: () => ({ kind: "text" }),
  "no-limit": () => ({ kind: "no-limit" }),
  stream: () => ({ kind: "stream" }),
  "always-thinks": () => ({ kind: "always-thinks" }),
  unthinking: () => ({ kind: "unthinking" }),
  strict: () => ({ kind: "strict" }),
  role: ({ from, to }) => {
    const [old, now] = [among(["system", "developer"], from), among(["system", "developer", "user"], to)]
    return old === undefined || now === undefined ? undefined : { kind: "role", from: old, to: now }
  },
  media: ({ what }) => {
    const known = among(["image", "image-url", "file"], what)
    return known === undefined ? undefined : { kind: "media", what: known }
  },
  members: ({ names }) => listed(messageMembers, names, (known) => ({ kind: "members", names: known })),
  limit: ({ most }) => counted(most, (number) => ({ kind: "limit", most: number })),
  least: ({ least }) => counted(least, (number) => ({ kind: "least", least: number })),
  tools: ({ most }) => counted(most, (number) => ({ kind: "tools", most: number })),
  descriptions: ({ most }) => counted(most, (number) => ({ kind: "descriptions", most: number })),
  "past-tools": ({ choice }) => ({ kind: "past-tools", choice: choice === true }),
  stops: ({ most }) => counted(most, (number) => ({ kind: "stops", most: number })),
  rename: ({ to }) => {
    const known = among(limitFields, to)
    return known === undefined ? undefined : { kind: "rename", to: known }
  },
  range: ({ field, least, most }) => {
    const known = among(rangedFields, field)
    return known === undefined
      ? undefined
      : { kind: "range", field: known, least: end(least), most: end(most) }
  },
  format: ({ to, lasting }) => {
    const known = among(["json_object", "none"], to)
    return known === undefined ? undefined : { kind: "format", to: known, lasting: lasting === true }
  },
  effort: ({ taken, withTools }) =>
    listed(reasoningEfforts, taken, (known) => ({
      ...{ kind: "effort", taken: known, withTools: withTools === true },
    })),
  choice: ({ to, whileThinking }) => {
    const known = among(["auto", "required", "any"], to)
    if (known === undefined) return undefined
    return { kind: "choice", to: known, whileThinking: whileThinking === true }
  },
  keywords: ({ names }) => listed(schemaKeywords, names, (known) => ({ kind: "keywords", names: known })),
  schema: ({ rules }) => {
    const known = among(schemaRules, rules)
    return known === undefined ? undefined : { kind: "schema", rules: known }
  },
  member: ({ field, name }) => {
    const [known, member] = [among(nestedFields, field), textOf(name)]
    return known === undefined || member === undefined
      ? undefined
      : { kind: "member", field: known, name: member }
  },
  drop: ({ fields }) => listed(optionalFields, fields, (known) => ({ kind: "drop", fields: known })),
}

function among<const T>(words: readonly T[], value: unknown): T | undefined {
  return words.find((word) => word === value)
}

/** All of the list has to be known: half of an amendment is another one. */
function listed<const T>(
  words: readonly T[],
  value: unknown,
  make: (known: readonly T[]) => Amendment,
): Amendment | undefined {
  const given = arrayOf(value)
  const known = given.flatMap((item) => words.filter((word) => word === item))
  return given.length === 0 || known.length < given.length ? undefined : make(known)
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

function counted(value: unknown, make: (number: number) => Amendment): Amendment | undefined {
  return isNumber(value) && value >= 0 ? make(value) : undefined
}

const end = (value: unknown): number | null => (isNumber(value) ? value : null)

/** What is done to requests, in a few words: `max_tokens -> max_completion_tokens`. */
export function describeAmendment(amendment: Amendment): string {
  switch (amendment.kind) {
    case "summary":
      return "without summaries of reasoning"
    case "encrypted":
      return "without encrypted reasoning"
    case "forget":
      return "without earlier reasoning"
    case "role":
      return `role ${amendment.from} -> ${amendment.to}`
    case "media":
      return `${media[amendment.what]} -> a few words in their place`
    case "reasoning":
      return reasonings[amendment.on]
    case "opening":
      return "a user's turn before everything else"
    case "between":
      return "an assistant's turn between results and the user's words"
    case "single":
      return "one call in each of the assistant's turns"
    case "absent":
      return "absent content of messages -> empty text"
    case "text":
      return "content of messages -> plain text"
    case "members":
      return `messages without ${amendment.names.join(", ")}`
    default:
      return describeBody(amendment)
  }
}

const media = { image: "images", "image-url": "addresses of images", file: "documents" } as const

const reasonings = {
  all: "an empty reasoning_content in the answers",
  calls: "an empty reasoning_content beside calls",
  signatures: "a word in place of a signature on calls",
  blocks: "thinking is off after calls of which the upstream has no thinking",
} as const

function describeBody(amendment: BodyAmendment): string {
  switch (amendment.kind) {
    case "limit":
    case "room":
    case "credit":
      return `max_tokens: at most ${amendment.kind === "limit" ? amendment.most : amendment.tokens}`
    case "least":
      return `max_tokens: at least ${amendment.least}`
    case "no-limit":
      return "without max_tokens"
    case "rename": {
      const from = amendment.to === "max_tokens" ? "max_completion_tokens" : "max_tokens"
      return `${from} -> ${amendment.to}`
    }
    case "range":
      return `${amendment.field}: ${describeRange(amendment)}`
    case "stops":
      return `stop: at most ${amendment.most}`
    case "stream":
      return "asked for as a stream"
    case "format":
      return `response_format -> ${amendment.to === "none" ? "words in the system prompt" : amendment.to}`
    case "effort":
      return `reasoning_effort${amendment.withTools ? " beside tools" : ""}: ${amendment.taken.join(", ")}`
    case "always-thinks":
      return "thinking is never switched off"
    case "choice":
      return `forced tool_choice${amendment.whileThinking ? " while thinking" : ""} -> ${amendment.to}`
    case "unthinking":
      return "thinking is off where a tool is forced"
    case "tools":
      return `tools: at most ${amendment.most}`
    case "descriptions":
      return `descriptions of tools: at most ${amendment.most} characters`
    case "past-tools":
      return "tools of the history where none are offered"
    case "strict":
      return "tools without strict"
    case "keywords":
      return `schemas without ${amendment.names.join(", ")}`
    case "schema":
      return `schemas as ${amendment.rules} takes them`
    case "member":
      return `without ${amendment.field}.${amendment.name}`
    case "drop":
      return `without ${amendment.fields.join(", ")}`
    default:
      return amendment satisfies never
  }
}

function describeRange({ least, most }: Range): string {
  if (least === null) return `at most ${most}`
  return most === null ? `at least ${least}` : `${least} to ${most}`
}
