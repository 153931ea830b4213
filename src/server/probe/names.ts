// Model names that were probably meant.
import { editDistance, plainName } from "../../config/settings/near-names.ts"

// What others list may be long, and names as long as they like.
const mostNames = 3_000
const longestName = 120
const mostNear = 3

/** The names most like the wanted one, the nearest first; at most three. */
export function nearModels(wanted: string, names: readonly string[]): readonly string[] {
  const sought = plain(wanted)
  return names
    .slice(0, mostNames)
    .filter((name) => name.length <= longestName)
    .map((name) => ({ name, distance: distanceOf(sought, plain(name)) }))
    .filter(({ distance }) => distance <= 1)
    .sort((one, other) => one.distance - other.distance || one.name.length - other.name.length)
    .slice(0, mostNear)
    .map(({ name }) => name)
}

/** What is left of a name without its maker, its place in a list, and punctuation. */
function plain(name: string): string {
  return plainName(name.slice(name.lastIndexOf("/") + 1))
}

/** 0: the same; up to 1: near. A name that only goes on differs less than one with other letters. */
function distanceOf(wanted: string, name: string): number {
  if (wanted === "" || name === "") return 2
  if (wanted === name) return 0
  const begins =
    Math.min(wanted.length, name.length) > 3 && (name.startsWith(wanted) || wanted.startsWith(name))
  const changes =
    editDistance(wanted.slice(0, longestName), name) / (Math.max(wanted.length, name.length) / 3)
  return begins ? Math.min(0.5, changes) : changes
}
