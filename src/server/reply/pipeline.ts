// From one converted request to a stream of deltas: the upstream is asked, its reply read by the dialect's
// reader, and failures before the first content repeated.

import type { Delta } from "../../convert/common/delta.ts"
import { applyFilters, initialFilters } from "../../convert/filters/filters.ts"
import type { ReaderOptions } from "../../convert/reader/reader-text.ts"
import { readWhole } from "../../convert/reply/dialect.ts"
import { bodyOf } from "../../convert/request/body-of.ts"
import type { Conversion } from "../../convert/request/request.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import type { Route } from "../../providers/route.ts"
import {
  attemptAndRead,
  type OpenedReply,
  type Opening,
  type Tried,
  type Trying,
} from "../../upstream/attempts.ts"
import { oneBatch } from "../../upstream/batches.ts"
import { type Sent, send } from "../../upstream/client.ts"
import { seedOf } from "../common/ids.ts"
import type { Context } from "../context.ts"
import { hasNextTarget } from "../course/course.ts"
import { type KeyTurn, sendInTurn } from "../keys/keys.ts"
import { hasLeft, isAnswered, type RequestOutcome, retry } from "../outcome/outcome.ts"
import { type Amending, createAmending, type Sendable } from "../request/amending.ts"
import type { Prepared } from "../request/prepare.ts"
import { nothingSaid, readDeltas, saysSomething } from "./delta-stream.ts"
import { createScale, mayBeEmpty } from "./scale.ts"
import { cutUnsaid } from "./unsaid.ts"

/** One request on its way to one upstream. It changes in place. */
interface Leg extends Tried {
  readonly prepared: Prepared
  readonly keys: KeyTurn
  readonly outcome: RequestOutcome
  readonly context: Context
  /** As it is sent now. */
  sendable: Sendable
  /** Undefined: nothing had to be changed. */
  amending: Amending | undefined
  /** It was answered with what is no answer. */
  unheard: boolean
}

/** The reply as batches of deltas, from the attempt that got as far as content. */
export function openReply(
  prepared: Prepared,
  keys: KeyTurn,
  outcome: RequestOutcome,
  context: Context,
): Promise<Opening<Delta>> {
  const on: Leg = {
    maxRetries: context.config.maxRetries,
    signal: outcome.upstream,
    clock: context.clock,
    prepared,
    keys,
    outcome,
    context,
    sendable: prepared,
    amending: undefined,
    unheard: false,
  }
  return attemptAndRead(on, converted, readSent)
}

const converted: Trying<Leg, Delta, Sent | OpenedReply<Delta>> = {
  open: (on) => {
    const { answer } = on.sendable.conversion
    if (answer !== undefined) return Promise.resolve({ ok: true, batches: oneBatch(answer) })
    return sendInTurn(on.keys, on.sendable.route, on, sendOnce)
  },
  // A key may also be refused inside a reply that began well; of all else the turn has heard already.
  amend: (on, failed) => {
    if (on.keys.failed(failed.fault)) return true
    on.amending ??= createAmending(on.prepared, on.context)
    if (!on.amending.amend(failed)) return false
    on.sendable = on.amending.current()
    return true
  },
  scale: (on) =>
    createScale({
      errors: on.prepared.errors,
      mayBeEmpty: mayBeEmpty(on.sendable.conversion),
      isWhole: !on.outcome.asker.stream,
      wantsText: on.prepared.inWords !== undefined,
      onUnheard: () => {
        on.unheard = true
      },
    }),
  hasNext: ({ prepared }) => hasNextTarget(prepared.course),
  random: Math.random,
  onRetry: (on, given, attempt, waitMs) => {
    if (on.unheard) askInWords(on)
    retry(on.outcome, given, attempt, waitMs)
  },
  onOpen: ({ outcome, amending, keys }) => {
    isAnswered(outcome)
    amending?.confirm()
    keys.worked()
  },
}

/** What had to be changed until it was answered is known from now on, and is not done anew. */
function askInWords(on: Leg): void {
  const { prepared, amending, sendable } = on
  on.unheard = false
  if (prepared.inWords === undefined) return
  amending?.confirm()
  on.sendable = prepared.inWords(sendable.route)
}

function sendOnce(route: Route, { sendable, outcome, context }: Leg): Promise<Sent> {
  const { config, clock, version } = context
  hasLeft(outcome)
  return send(route, bodyOf(sendable.conversion), {
    signal: outcome.upstream,
    timeoutMs: config.requestTimeoutMs,
    clock,
    userAgent: `claude-proxy/${version}`,
    errors: sendable.errors,
  })
}

function readSent(sent: Sent | OpenedReply<Delta>, { sendable, prepared, context }: Leg): Opening<Delta> {
  if (!sent.ok) return cutUnsaid(sent) ?? sent
  if ("batches" in sent) return sent
  const { route, conversion, errors } = sendable
  const { wholeArguments, requestId } = prepared
  const facts = { route, conversion, errors, idSeed: seedOf(requestId), wholeArguments }
  const reader = readerFor(facts, sent.cachedTokens)
  if (sent.reply.kind === "stream") {
    return { ok: true, batches: readDeltas(sent.reply.batches, reader, conversion, context) }
  }
  const [, deltas] = applyFilters(initialFilters(conversion), readWhole(sent.reply.reply, reader))
  const empty = !deltas.some(saysSomething)
  return {
    ok: true,
    batches: oneBatch(empty ? [nothingSaid("JSON that is no reply of a model", errors)] : deltas),
  }
}

/** What the reader of a reply has to know of the request it answers. */
interface ReaderFacts {
  readonly route: Route
  readonly errors: ErrorContext
  /** For the ids of calls that have none. */
  readonly idSeed: string
  /** Arguments of calls go out in one piece. */
  readonly wholeArguments: boolean
  readonly conversion: Omit<Conversion, "body" | "responses" | "notes">
}

/** What a reply is read by; `cachedTokens` is what its head says of them. */
export function readerFor(
  { route, conversion, errors, idSeed, wholeArguments }: ReaderFacts,
  cachedTokens?: number,
): ReaderOptions {
  const { toolNames, offered, schemas, noCalls, seenIds, stopSequences, showReasoning, search } = conversion
  return {
    profile: route.profile,
    tools: { toolNames, offered, schemas, seenIds, idSeed, wholeArguments },
    noCalls,
    stopSequences,
    showReasoning,
    errors,
    search,
    cachedTokens,
  }
}
