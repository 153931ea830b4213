// Where the reply to a request comes from: out of the cache, from an equal request that is under way, from the same
// one that its client has given up, or, in the end, from its upstream.
import type { Caller, Exchange } from "../../observe/exchange.ts"
import type { MessagesReply } from "../../protocol/messages/messages.ts"
import type { ReplyCache } from "../cache/cache.ts"
import { cacheWish, isCacheable, replyKey } from "../cache/cache-key.ts"
import { lifeOf } from "../cache/cache-life.ts"
import { readKeptReply } from "../cache/cached-reading.ts"
import { isRetried, sentAgent } from "../common/client-headers.ts"
import type { Context } from "../context.ts"
import { currentTarget } from "../course/course.ts"
import type { Rider } from "../flights/flight-reader.ts"
import type { FlightKeys } from "../flights/flights.ts"
import { createFreeOutcome, leave } from "../outcome/outcome.ts"
import { type Reading, readAlone } from "../reply/reading.ts"
import { type Asked, parsedOf } from "../request/asked.ts"
import type { Prepared } from "../request/prepare.ts"
import { createSession } from "./session.ts"

/** A request as it came: what tells it from others. */
export interface Origin {
  readonly asked: Asked
  /** The body as it was sent. */
  readonly bytes: Uint8Array
  /** It is asked to see what this very model answers. */
  readonly exact?: boolean | undefined
}

/** A reply that can be read, and what the cache had to say of it, if it was asked. */
export interface Begun {
  readonly reading: Reading
  readonly cache: Exchange["cache"]
}

/** A request that wants to be answered. */
interface Wanted {
  readonly prepared: Prepared
  readonly request: Request
  readonly caller: Caller
  readonly context: Context
}

/** Undefined: its client has left before anything was asked. */
export function openReading(wanted: Wanted, origin: Origin): Begun | undefined | Promise<Begun | undefined> {
  const { prepared } = wanted
  // What needs no upstream is there already.
  if (prepared.conversion.answer !== undefined) return askAlone(wanted)
  const resent = resentKey(wanted, origin)
  if (resent !== undefined) return askOrResume(wanted, origin, resent)
  const question = questionOf(wanted, origin)
  return question === undefined ? askAlone(wanted) : askOnce(wanted, origin, question, resent)
}

/** One that its client may have sent before, or may send again. */
function askOrResume(wanted: Wanted, origin: Origin, resent: string): Begun | Promise<Begun | undefined> {
  const { request, context } = wanted
  const rider = riderOf(wanted)
  const retried = isRetried(request.headers)
  const reading = context.flights.resume(resent, context.config, rider, retried)
  if (reading !== undefined) return { reading, cache: undefined }
  const question = questionOf(wanted, origin)
  if (question !== undefined) return askOnce(wanted, origin, question, resent)
  return { reading: ask(wanted, rider, { shared: undefined, resent }, nothingKept), cache: undefined }
}

function askAlone({ prepared, request, caller, context }: Wanted): Begun {
  const session = createSession(prepared, caller, context)
  return { reading: readAlone(session, request.signal), cache: undefined }
}

const nothingKept = { limit: 0, onReply: () => Promise.resolve() }

interface Keeping {
  readonly limit: number
  readonly onReply: (reply: MessagesReply) => Promise<void>
}

function ask(
  { prepared, caller, context }: Wanted,
  rider: Rider,
  keys: FlightKeys,
  { limit, onReply }: Keeping,
  cache?: Exchange["cache"],
): Reading {
  const session = createSession(prepared, caller, context, cache)
  return context.flights.start(keys, context.config, rider, { session, limit, onReply })
}

/** A request that the cache may answer, and how. */
interface Question {
  readonly key: string
  /** Of the request under way that others may join, whose end may be a filter's: the APIs tell of that differently. */
  readonly flightKey: string
  readonly cache: ReplyCache
  /** An answer that is known already is as good as a new one. */
  readonly mayBeKnown: boolean
}

function questionOf({ prepared, request, context }: Wanted, origin: Origin): Question | undefined {
  const { cache } = context
  if (cache === undefined || origin.exact === true || !isCacheable(origin.asked.body)) return undefined
  const wish = cacheWish(request.headers)
  if (wish === "none") return undefined
  const key = replyKey(prepared)
  const flightKey = `${prepared.route.profile.contentFilter} ${key}`
  return { key, flightKey, cache, mayBeKnown: wish === "use" }
}

/** What is known, or is being asked, is not asked again. */
async function askOnce(
  wanted: Wanted,
  origin: Origin,
  question: Question,
  resent: string | undefined,
): Promise<Begun | undefined> {
  const { prepared, request } = wanted
  const { course } = prepared
  const meant = currentTarget(course)
  const { key, flightKey, cache, mayBeKnown } = question
  const known = mayBeKnown ? await findKnown(wanted, question) : undefined
  if (known !== undefined) return known
  if (request.signal.aborted) {
    leave(riderOf(wanted).outcome())
    return undefined
  }
  // What another model says in its place is not what this one would say.
  const keep = async (reply: MessagesReply): Promise<void> => {
    if (currentTarget(course) !== meant) return
    await cache.keep(key, reply, () => lifeFor(reply, prepared, origin))
  }
  const keeping = { limit: cache.growingBytes, onReply: keep }
  const found = mayBeKnown && cache.find !== undefined ? "miss" : undefined
  return {
    reading: ask(wanted, riderOf(wanted), { shared: flightKey, resent }, keeping, found),
    cache: found,
  }
}

async function findKnown(wanted: Wanted, { key, flightKey, cache }: Question): Promise<Begun | undefined> {
  const join = (): Begun | undefined =>
    wanted.context.flights.join(flightKey, riderOf(wanted, { cache: "hit", shared: true }))
  const joined = join()
  if (joined !== undefined || cache.find === undefined) return joined
  const kept = await cache.find(key)
  if (wanted.request.signal.aborted) return undefined
  if (kept !== undefined)
    return { reading: readKeptReply(kept, riderOf(wanted, { cache: "hit" })), cache: "hit" }
  // Somebody else may have asked meanwhile.
  return join()
}

function lifeFor({ content }: MessagesReply, { conversion }: Prepared, { asked }: Origin): number {
  const text = content.map((block) => (block.type === "text" ? block.text : "")).join("\n")
  const parsed = parsedOf(asked)
  return lifeOf({ messages: parsed.success ? parsed.data.messages : [], json: conversion.json, text })
}

function riderOf(
  { prepared, caller, context }: Wanted,
  from: Pick<Exchange, "cache" | "shared"> = {},
): Rider {
  const { requestId, startedAt, stream, route, notes } = prepared
  // It lasts as long as the reply does: nothing of what was sent belongs into it.
  const facts = { requestId, startedAt, stream, route, notes, caller, ...from }
  const outcome = () => createFreeOutcome(facts, context)
  return { requestId, startedAt, stream, caller, model: route.requestedModel, outcome }
}

/** Names the very request of one client, as long as its conversation is known. */
function resentKey({ prepared, request }: Wanted, { bytes }: Origin): string | undefined {
  const { session, scope } = prepared
  if (session === undefined) return undefined
  const agent = sentAgent(request.headers) ?? ""
  return [request.url, scope, agent, bytes.length, Bun.hash(bytes)].join(" ")
}
