// What a file held, without holding it: enough to see that it has changed.

/** Files, also ones that are not there, each with the print of its content. */
export type Prints = ReadonlyMap<string, string>

/** The print of a file that is not there. */
export const absent = "absent"

const blank = "blank"

/** The print of a text. All texts without a word have the same. */
export function printOf(text: string): string {
  return text.trim() === "" ? blank : `${text.length}:${Bun.hash(text)}`
}

/** The print of a file that is there and cannot be read, by the system's code for the reason. */
export function unreadable(code: string): string {
  return `unreadable: ${code}`
}

/** Are these the same files with the same content? */
export function samePrints(one: Prints, other: Prints): boolean {
  return one.size === other.size && [...one].every(([path, print]) => other.get(path) === print)
}

/** Has a file that held something vanished or become empty? */
export function isEmptied(before: Prints, after: Prints): boolean {
  const isEmpty = (print = absent) => print === absent || print === blank
  return [...after].some(([path, print]) => isEmpty(print) && !isEmpty(before.get(path)))
}
