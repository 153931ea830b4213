// What a label may hold of texts that come from clients and upstreams: little, and nothing secret.
import { redact } from "../protocol/redact.ts"
import { otherValue } from "./metrics-registry.ts"

const longest = 100
// Redacted before it is cut: half a key is no longer recognised.
const longestRead = 1_000
// All that some reader of the format takes for the end of a line; the newline itself has an escape.
const controls = /(?!\n)[\p{Cc}\u2028\u2029]/gu

/** A function that makes a label's value of any text: redacted, one line, at most 100 characters. */
export function createCleaner(secrets: () => readonly string[]): (value: string) => string {
  return (value) => {
    // A copy: a part of a text keeps the whole of it in memory.
    const near = value.length > longestRead ? Buffer.from(value.slice(0, longestRead)).toString() : value
    return redact(near, secrets()).replace(controls, "\ufffd").slice(0, longest).toWellFormed()
  }
}

// Together with the word for all others, a hundred.
const mostModels = 99
const mostUnproven = 50

/**
 * A function that gives the name under which a model is counted. Clients can name as many as they like, so from some
 * number on they are counted together; those that never answered may take no more than half of the room.
 */
export function createModelNames(
  clean: (value: string) => string,
): (model: string, answered: boolean) => string {
  const names = new Set<string>()
  return (model, answered) => {
    if (names.has(model)) return model
    const name = clean(model)
    if (names.has(name) || name === "") return name
    if (names.size >= (answered ? mostModels : mostUnproven)) return otherValue
    names.add(name)
    return name
  }
}
