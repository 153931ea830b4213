// What a file held, without holding it: enough to see that it has changed.

/** Files, also ones that are not there, each with the print of its content. */
export type Prints = ReadonlyMap<string, string>

/** The print of a file that is not there. */
export const absent = "absent"

const blank = "blank"

/** The print of a text. All texts without a word have the same. */
export function printOf(text: string): string {
  if (isNoText(text)) return unreadable(noText)
  return text.trim() === "" ? blank : `${text.length}:${Bun.hash(text)}`
}

/** A file of anything but settings: every line of it would be one that means nothing. */
export const isNoText = (text: string): boolean => text.includes("\0")

export const noText = "it holds no text"

const unread = "unreadable: "

/** The print of a file that is there and cannot be read, by the system's code for the reason. */
export function unreadable(code: string): string {
  return unread + code
}

/** The print of a file that gives this code instead of its facts: only some of them say that it is not there. */
export function printOfLack(code: string): string {
  return code === "ENOENT" || code === "ENOTDIR" ? absent : unreadable(code)
}

/** The files that could be read before, are still there, and cannot be read any more, each with the reason. */
export function madeUnreadable(before: Prints, after: Prints): readonly string[] {
  const wasRead = (print = absent) => print !== absent && !print.startsWith(unread)
  return [...after].flatMap(([path, print]) =>
    print.startsWith(unread) && wasRead(before.get(path))
      ? [`${path} cannot be read (${print.slice(unread.length)}).`]
      : [],
  )
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
