// What is new in a piece of a stream whose pieces may repeat all that came before (growth.ts), for each of its
// texts by itself: the content, the fields of reasoning, and the items of `reasoning_details`.
import { arrayOf, isObject, type JsonObject, textOf } from "../../protocol/json.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import { addPiece, firstPiece, type Grown, type Growth, settle } from "./growth.ts"

interface Track {
  readonly growth: Growth
  /** Of an item of `reasoning_details`: what it is known by, and which of its members grows. */
  readonly item: JsonObject | undefined
  readonly field: string
}

export interface Tracks {
  readonly texts: ReadonlyMap<string, Track>
  /** How many of them hold something back. */
  readonly holding: number
}

export const initialTracks: Tracks = { texts: new Map(), holding: 0 }

interface Unrolled {
  readonly tracks: Tracks
  /** The piece with what is new in it alone. */
  readonly content: JsonObject
  /** Text that was held back and belongs before everything in the piece. */
  readonly before: string
  /** The field that holds the reasoning, even if there is nothing new in it; undefined: not looked for. */
  readonly field: string | undefined
}

// More texts than this in one reply are not followed: their pieces pass.
const mostTracks = 100
const growing = ["text", "summary"] as const

/** Is there anything in the piece that may have been said before? */
export function mayRepeat({ texts }: Tracks, given: JsonObject, { cumulative }: ProviderProfile): boolean {
  return cumulative || texts.size > 0 || given["reasoning_details"] !== undefined
}

/** `over`: the reply ends with this piece, so that nothing may be held back any more. */
export function unroll(
  tracks: Tracks,
  given: JsonObject,
  { cumulative, reasoning }: ProviderProfile,
  over: boolean,
): Unrolled {
  const tracker = createTracker(tracks, cumulative)
  const called = saysSomething(given["tool_calls"]) || isObject(given["function_call"])
  const ends = over || called || saysSomething(given["refusal"])
  const speaks = ends || saysSomething(given["content"])
  const details = unrollDetails(tracker, arrayOf(given["reasoning_details"]).filter(isObject), speaks)
  const content = details.length === 0 ? given : { ...given, reasoning_details: details }
  if (!cumulative) return { tracks: tracker.now(), content, before: "", field: undefined }
  const fields = unrollFields(tracker, given, reasoning.replyFields, speaks)
  const thinks = details.some(hasText) || Object.values(fields).some((text) => text !== "")
  const [before, text] = unrollContent(tracker, given["content"], thinks, ends)
  const said = text === undefined ? {} : { content: text }
  const field = reasoning.replyFields.find((name) => Object.hasOwn(fields, name))
  return { tracks: tracker.now(), content: { ...content, ...fields, ...said }, before, field }
}

/** The fields of reasoning that are there, or of which something was held back. */
function unrollFields(
  tracker: Tracker,
  given: JsonObject,
  names: readonly string[],
  speaks: boolean,
): Readonly<Record<string, string>> {
  const found = names.flatMap((name) => {
    const text = textOf(given[name])
    const added = tracker.take(name, text ?? "") + (speaks ? tracker.release(name) : "")
    return text === undefined && added === "" ? [] : [[name, added] as const]
  })
  return Object.fromEntries(found)
}

/** The text to be given before the piece, and what is new in its own; undefined: it has none. */
function unrollContent(
  tracker: Tracker,
  given: unknown,
  thinks: boolean,
  ends: boolean,
): readonly [string, string | undefined] {
  const isParts = given !== undefined && given !== null && typeof given !== "string"
  const before = thinks || isParts ? tracker.release("content") : ""
  const added = tracker.take("content", typeof given === "string" ? given : "")
  const text = added + (ends ? tracker.release("content") : "")
  return [before, typeof given === "string" || text !== "" ? text : undefined]
}

function saysSomething(value: unknown): boolean {
  return typeof value === "string" || Array.isArray(value) ? value.length > 0 : isObject(value)
}

const hasText = (piece: JsonObject): boolean => growing.some((field) => textOf(piece[field]) !== undefined)

/** The pieces with what is new in each; what other items held back stands before them. */
function unrollDetails(
  tracker: Tracker,
  pieces: readonly JsonObject[],
  speaks: boolean,
): readonly JsonObject[] {
  const unrolled = pieces.map((piece, position) => {
    const added: Record<string, unknown> = { ...piece }
    for (const field of growing) {
      const text = piece[field]
      if (typeof text !== "string") continue
      const key = keyOf(piece, position, field)
      added[field] = tracker.take(key, text, { field, item: knownBy(piece) })
      if (speaks) added[field] += tracker.release(key)
    }
    return added
  })
  return speaks ? [...tracker.releaseItems(), ...unrolled] : unrolled
}

/** Without an index items are told apart as they are when they are joined: by type, id and place. */
function keyOf({ index, type, id }: JsonObject, position: number, field: string): string {
  const isUnnumbered = index === undefined || index === null
  return `${field} ${isUnnumbered ? `${position} of ${String(id)}` : `at ${String(index)}`} ${String(type)}`
}

function knownBy({ type, index, id }: JsonObject): JsonObject {
  return {
    ...(type === undefined ? {} : { type }),
    ...(index === undefined ? {} : { index }),
    ...(id === undefined ? {} : { id }),
  }
}

const holds = (growth: Growth | undefined): number => (growth === undefined || growth.held === "" ? 0 : 1)

type Tracker = ReturnType<typeof createTracker>

/** The texts of one reply while one piece is read; the map is copied only if something in it changes. */
function createTracker(tracks: Tracks, expected: boolean) {
  let changed: Map<string, Track> | undefined
  let holding = tracks.holding
  const texts = (): Tracks["texts"] => changed ?? tracks.texts
  const now = (): Tracks => (changed === undefined ? tracks : { texts: changed, holding })

  function keep(key: string, track: Track, [growth, text]: Grown): string {
    const before = texts().get(key)?.growth
    if (before !== growth) {
      changed ??= new Map(tracks.texts)
      changed.set(key, { ...track, growth })
      holding += holds(growth) - holds(before)
    }
    return text
  }

  function take(
    key: string,
    piece: string,
    kind: Omit<Track, "growth"> = { item: undefined, field: "" },
  ): string {
    const track = texts().get(key)
    if (track !== undefined) return keep(key, track, addPiece(track.growth, piece, expected))
    if (piece === "" || texts().size >= mostTracks) return piece
    const growth = firstPiece(piece)
    return keep(key, { ...kind, growth }, [growth, piece])
  }

  function release(key: string): string {
    const track = texts().get(key)
    return track === undefined ? "" : keep(key, track, settle(track.growth, expected))
  }

  function releaseItems(): readonly JsonObject[] {
    if (holding === 0) return []
    return [...texts()].flatMap(([key, { item, field }]) => {
      const text = item === undefined ? "" : release(key)
      return text === "" ? [] : [{ ...item, [field]: text }]
    })
  }

  return { now, take, release, releaseItems }
}
