// Misspelt settings: an unknown name that is nearly one of ours.
import { headerPrefix, isSettingName, settings } from "./settings.ts"

/**
 * The setting that an unknown name was probably meant to be, or undefined. Names of four or five letters
 * (HOST, PORT) must be closer: two changes away from them lie too many names of other programs.
 */
export function suggestName(name: string): string | undefined {
  if (isSettingName(name)) return undefined
  const upper = name.toUpperCase()
  const close = settings
    .map((setting) => ({ name: setting.name, distance: editDistance(upper, setting.name) }))
    .filter((candidate) => candidate.distance <= (candidate.name.length > 5 ? 2 : 1))
    .sort((one, other) => one.distance - other.distance)
  return close[0]?.name ?? suggestHeader(upper)
}

function suggestHeader(upper: string): string | undefined {
  const found = /^([A-Z]+_[A-Z]+_)(\w+)$/.exec(upper)
  if (found === null || editDistance(found[1] ?? "", headerPrefix) > 2) return undefined
  return `${headerPrefix}${found[2] ?? ""}`
}

// Other programs' words for what we call otherwise.
const otherKeys: Readonly<Record<string, string>> = {
  apikey: "api_key_name",
  apikeyenv: "api_key_name",
  baseurl: "api_base",
  url: "api_base",
  id: "model_id",
  model: "model_id",
  name: "model_name",
  contextwindow: "max_input_tokens",
  maxoutputtokens: "max_tokens",
}

/** The key of a file that an unknown one was probably meant to be: another spelling, a slip, a common synonym. */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  const letters = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "")
  const plain = letters(key)
  const same = known.find((name) => letters(name) === plain)
  if (same !== undefined) return same
  const close = known
    .map((name) => ({ name, distance: editDistance(plain, letters(name)) }))
    .filter((candidate) => candidate.distance <= (plain.length > 5 ? 2 : 1))
    .sort((one, other) => one.distance - other.distance)
  const synonym = Object.hasOwn(otherKeys, plain) ? otherKeys[plain] : undefined
  return close[0]?.name ?? (synonym !== undefined && known.includes(synonym) ? synonym : undefined)
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(one: string, other: string): number {
  let before: readonly number[] = []
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1]
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      next.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (next[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    before = last
    last = next
  }
  return last[other.length] ?? 0
}
