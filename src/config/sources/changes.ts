// What differs between two readings of the settings, by name. No value leaves this file: any may be a key.

import { isSettingName } from "../settings/settings.ts"
import type { Found } from "../settings/values.ts"
import type { Sources } from "./loaded.ts"

interface ChangedSetting {
  readonly name: string
  /** Where its value now stands; undefined: it is not set any more. */
  readonly origin: string | undefined
}

/** A setting was changed at `origin` without effect: what `winner` says of it counts first. */
interface HiddenChange extends ChangedSetting {
  readonly winner: string
}

export interface Changes {
  readonly settings: readonly ChangedSetting[]
  readonly hidden: readonly HiddenChange[]
  /** What is new, gone or different in models.yaml: `+ fast`, `- slow`, `~ local`. */
  readonly models: readonly string[]
}

/** Compares what was read before with what is read now. A value that only moved to another line is no change. */
export function changesBetween(before: Sources, after: Sources): Changes {
  const wanted = [before, after].map(keyNames)
  // A variable that only now became a model's key has not changed: the model has.
  const isOurs = (name: string) => isSettingName(name) || wanted[0]?.has(name) === wanted[1]?.has(name)
  const names = namesIn(before, after).filter(isOurs)
  const changed = names.filter((name) => before.values.get(name)?.value !== after.values.get(name)?.value)
  return {
    settings: changed.map((name) => ({ name, origin: after.values.get(name)?.origin })),
    hidden: names.filter((name) => !changed.includes(name)).flatMap((name) => hidden(name, before, after)),
    models: modelChanges(before, after),
  }
}

function keyNames({ models }: Sources): ReadonlySet<string> {
  return new Set([...models.entries, ...models.providers].flatMap(({ keyName }) => keyName ?? []))
}

/** In the order in which they stand in what was read now; what is gone comes last. */
function namesIn(before: Sources, after: Sources): readonly string[] {
  return [...new Set([...after.values.keys(), ...before.values.keys()])]
}

/** Every value that one of the files gives a setting, the strongest first. */
function inFiles(name: string, { layers }: Sources): readonly Found[] {
  const found = layers.flatMap(({ values }) => values.get(name) ?? [])
  return found.filter(({ value, origin }) => value !== "" && fileOf(origin) !== origin)
}

/** The origin without its line; a flag or the environment has none. */
function fileOf(origin: string): string {
  return origin.replace(/(:\d+){1,2}$/, "")
}

function hidden(name: string, before: Sources, after: Sources): readonly HiddenChange[] {
  const winner = after.values.get(name)
  if (winner === undefined) return []
  const old = inFiles(name, before)
  const isOld = ({ value, origin }: Found) =>
    old.some((other) => other.value === value && fileOf(other.origin) === fileOf(origin))
  const fresh = inFiles(name, after).filter((found) => found.value !== winner.value && !isOld(found))
  return fresh.map(({ origin }) => ({ name, origin, winner: winner.origin }))
}

function modelChanges(before: Sources, after: Sources): readonly string[] {
  const one = before.models
  const other = after.models
  const defaults = Bun.deepEquals(one.defaults, other.defaults) ? [] : ["~ defaults"]
  return [
    ...listChanges(one.entries, other.entries, (id) => id),
    ...listChanges(one.providers, other.providers, (id) => `provider ${id}`),
    ...defaults,
  ]
}

interface Named {
  readonly id: string
}

function listChanges(
  before: readonly Named[],
  after: readonly Named[],
  title: (id: string) => string,
): readonly string[] {
  const old = new Map(before.map((one) => [one.id, one]))
  const kept = new Set(after.map(({ id }) => id))
  const here = after.flatMap((one) => {
    const other = old.get(one.id)
    if (other === undefined) return [`+ ${title(one.id)}`]
    return Bun.deepEquals(one, other) ? [] : [`~ ${title(one.id)}`]
  })
  return [...here, ...before.filter(({ id }) => !kept.has(id)).map(({ id }) => `- ${title(id)}`)]
}
