// What an upstream does not take, as data: a change of the request that was refused, which can be remembered
// and made to later ones before they are sent.
import type { ReasoningEffort } from "../../protocol/chat/chat.ts"
import type { SchemaRules } from "../../providers/profile.ts"
import type { Conversion } from "../request/request.ts"
import { type Change, changeEffort } from "./amend-effort.ts"
import {
  asStream,
  fewerStops,
  intoRange,
  type LimitField,
  lowerLimit,
  type NestedField,
  type OptionalField,
  offSwitches,
  type RangedField,
  raiseLimit,
  refusedByUpstream,
  renameLimit,
  without,
  withoutLimit,
  withoutMember,
} from "./amend-fields.ts"
import { replaceFormat } from "./amend-format.ts"
import {
  type Amended,
  asText,
  changeRole,
  type Media,
  type MessageMember,
  type SystemRole,
  withoutAbsent,
  withoutMedia,
  withoutMembers,
} from "./amend-messages.ts"
import { fewerTools, shorterDescriptions, withPastTools } from "./amend-offer.ts"
import {
  changeReasoning,
  type ReasoningAmendment,
  type ReasoningWanted,
  withReasoning,
} from "./amend-reasoning.ts"
import { byRules, withoutKeywords } from "./amend-schema.ts"
import { changeChoice, type TakenChoice, withoutStrict, withoutThinking } from "./amend-tools.ts"
import { withOpening, withSingleCalls, withTurnsBetween } from "./amend-turns.ts"

/** A change of the messages. */
type MessageAmendment =
  /** Instructions cannot be said with this role. */
  | { readonly kind: "role"; readonly from: SystemRole; readonly to: SystemRole | "user" }
  /** What the model cannot see or read. */
  | { readonly kind: "media"; readonly what: Media }
  /** The reasoning of earlier answers has to be sent back. */
  | { readonly kind: "reasoning"; readonly on: ReasoningWanted }
  /** The conversation has to begin with the user. */
  | { readonly kind: "opening" }
  /** The user may not speak directly after the results of calls. */
  | { readonly kind: "between" }
  /** One call in each of the assistant's turns. */
  | { readonly kind: "single" }
  /** Content may be empty, but not absent. */
  | { readonly kind: "absent" }
  /** Content has to be one string. */
  | { readonly kind: "text" }
  | { readonly kind: "members"; readonly names: readonly MessageMember[] }

/** A change of the request's other fields. */
export type BodyAmendment =
  /** The most tokens that one reply may have. */
  | { readonly kind: "limit"; readonly most: number }
  /** The fewest that may be asked for. */
  | { readonly kind: "least"; readonly least: number }
  /** No limit is taken at all. */
  | { readonly kind: "no-limit" }
  /** What the context window has left beside this one prompt. */
  | { readonly kind: "room"; readonly tokens: number }
  /** What the account has credit for, this time. */
  | { readonly kind: "credit"; readonly tokens: number }
  /** The other name of the limit. */
  | { readonly kind: "rename"; readonly to: LimitField }
  | {
      readonly kind: "range"
      readonly field: RangedField
      readonly least: number | null
      readonly most: number | null
    }
  /** How many stop sequences are taken. */
  | { readonly kind: "stops"; readonly most: number }
  /** Replies come as streams only. */
  | { readonly kind: "stream" }
  /** Structured output is asked for in words; `lasting` when no request can have it otherwise. */
  | { readonly kind: "format"; readonly to: "json_object" | "none"; readonly lasting: boolean }
  /** The efforts that are taken; only of requests with tools, when `withTools` is said. */
  | { readonly kind: "effort"; readonly taken: readonly ReasoningEffort[]; readonly withTools: boolean }
  /** Thinking that cannot be switched off. */
  | { readonly kind: "always-thinks" }
  /** A forced call that is not taken; only of a model that thinks, when `whileThinking` is said. */
  | { readonly kind: "choice"; readonly to: TakenChoice; readonly whileThinking: boolean }
  /** A call can be forced, but not of a model that thinks. */
  | { readonly kind: "unthinking" }
  /** How many tools one request may offer. */
  | { readonly kind: "tools"; readonly most: number }
  /** How many characters a tool's description may have. */
  | { readonly kind: "descriptions"; readonly most: number }
  /** Tools have to be offered where some were called before; `choice`: whether the word "none" is known. */
  | { readonly kind: "past-tools"; readonly choice: boolean }
  /** Schemas cannot be marked as strict. */
  | { readonly kind: "strict" }
  | { readonly kind: "keywords"; readonly names: readonly string[] }
  | { readonly kind: "schema"; readonly rules: SchemaRules }
  | { readonly kind: "member"; readonly field: NestedField; readonly name: string }
  | { readonly kind: "drop"; readonly fields: readonly OptionalField[] }

export type Amendment = ReasoningAmendment | MessageAmendment | BodyAmendment

/** A name for the amendment: two with the same one have the same reason. */
export function causeOf(amendment: Amendment): string {
  switch (amendment.kind) {
    case "format":
      return `format ${amendment.to}`
    case "drop":
      return `drop ${amendment.fields.join(" ")}`
    case "effort":
      return amendment.withTools ? "effort with tools" : "effort"
    case "range":
      return `range ${amendment.field}`
    case "choice":
      return amendment.whileThinking ? "choice while thinking" : `choice ${amendment.to}`
    case "keywords":
    case "members":
      return `${amendment.kind} ${amendment.names.join(" ")}`
    case "schema":
      return `schema ${amendment.rules}`
    case "member":
      return `member ${amendment.field}.${amendment.name}`
    case "role":
      return `role ${amendment.from}`
    case "media":
      return `media ${amendment.what}`
    default:
      return amendment.kind
  }
}

/** Does it hold for later requests to the same model too? */
export function isLasting(amendment: Amendment): boolean {
  if (amendment.kind === "format") return amendment.lasting
  return amendment.kind !== "room" && amendment.kind !== "credit" && amendment.kind !== "forget"
}

/** The conversion with its body changed; undefined where the amendment has nothing to change in it. */
export function applyAmendment(conversion: Conversion, amendment: Amendment): Amended | undefined {
  switch (amendment.kind) {
    case "summary":
    case "encrypted":
    case "forget":
      return changeReasoning(conversion, amendment.kind)
    case "role":
      return changeRole(conversion, amendment.from, amendment.to)
    case "media":
      return withoutMedia(conversion, amendment.what)
    case "reasoning":
      return withReasoning(conversion, amendment.on)
    case "opening":
      return withOpening(conversion)
    case "between":
      return withTurnsBetween(conversion)
    case "single":
      return withSingleCalls(conversion)
    case "absent":
      return withoutAbsent(conversion)
    case "text":
      return asText(conversion)
    case "members":
      return withoutMembers(conversion, amendment.names)
    default:
      return withBody(conversion, changeBody(conversion, amendment))
  }
}

function withBody(conversion: Conversion, change: Change | undefined): Amended | undefined {
  if (change === undefined) return undefined
  const { body, notes } = change
  // What the upstream does not watch for is watched for here.
  const isWhole = body.stop === conversion.body.stop
  const watchedStops = isWhole ? conversion.watchedStops : conversion.stopSequences
  return { conversion: { ...conversion, body, watchedStops }, notes }
}

function changeBody(conversion: Conversion, amendment: BodyAmendment): Change | undefined {
  const { body } = conversion
  switch (amendment.kind) {
    case "limit":
      return lowerLimit(body, amendment.most, "the most this model gives in one reply")
    case "least":
      return raiseLimit(body, amendment.least)
    case "no-limit":
      return withoutLimit(body)
    case "room":
      return lowerLimit(body, amendment.tokens, "what the context window has left")
    case "credit":
      return lowerLimit(body, amendment.tokens, "what the account has credit for")
    case "rename":
      return renameLimit(body, amendment.to)
    case "range":
      return intoRange(body, amendment.field, amendment)
    case "stops":
      return fewerStops(body, amendment.most)
    case "stream":
      return asStream(body)
    case "format":
      return replaceFormat(conversion, amendment.to)
    case "effort":
      return amendment.withTools && body.tools === undefined ? undefined : changeEffort(body, amendment.taken)
    case "always-thinks":
      return without(body, offSwitches(body), "this model's thinking cannot be switched off")
    case "choice":
      return changeChoice(body, amendment.to, amendment.whileThinking)
    case "unthinking":
      return withoutThinking(body)
    case "tools":
      return fewerTools(body, amendment.most)
    case "descriptions":
      return shorterDescriptions(body, amendment.most)
    case "past-tools":
      return withPastTools(body, amendment.choice)
    case "strict":
      return withoutStrict(body)
    case "keywords":
      return withoutKeywords(body, amendment.names)
    case "schema":
      return byRules(body, amendment.rules)
    case "member":
      return withoutMember(body, amendment.field, amendment.name)
    case "drop":
      return without(body, amendment.fields, refusedByUpstream)
    default:
      return amendment satisfies never
  }
}
