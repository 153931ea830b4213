// Which fields hold secrets, by their names.
import { isObject } from "./json.ts"

/** What the name of a field says of its value. Under "maybe" numbers are counters, texts are secrets. */
export type Secrecy = "no" | "maybe" | "yes"

const alwaysSecret = new Set(
  "authorization cookie cookies secret secrets password passwd passphrase credential credentials bearer apikey apikeys".split(
    " ",
  ),
)
const oftenSecret = new Set(["token", "tokens", "key", "keys"])
// key_name is the name of a variable, token_count a number, whatever its type.
const harmlessEnd = new Set(["name", "names", "count", "limit", "type"])

/** Judges a field by the words of its name: `x-api-key`, `accessToken` and `Set-Cookie` are secret. */
export function secrecyOf(name: string): Secrecy {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "")
  if (words.some((word) => alwaysSecret.has(word))) return "yes"
  if (harmlessEnd.has(words.at(-1) ?? "")) return "no"
  return words.some((word) => oftenSecret.has(word)) ? "maybe" : "no"
}

/** What the value of an Authorization header begins with. */
export const scheme = /^(?:bearer|basic|token) +/i

// Shorter texts, and those of several words, are no secrets that could be told from other words.
const secretText = /^[!-~]{8,}$/
const isSecret = (text: string): boolean => secretText.test(text.replace(scheme, ""))

/** The texts in a value of which their fields' names say that nobody may see them. */
export function secretsInFields(value: unknown, secrecy: Secrecy = "no"): readonly string[] {
  if (typeof value === "string") return secrecy !== "no" && isSecret(value) ? [value] : []
  if (Array.isArray(value)) return value.flatMap((item) => secretsInFields(item, secrecy))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, own]) => {
    const named = secrecyOf(name)
    return secretsInFields(own, named === "no" ? secrecy : named)
  })
}
