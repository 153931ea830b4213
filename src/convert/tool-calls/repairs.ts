// What can be done to a call's arguments on their way, in the words of the note that says so. None of them
// holds anything of the arguments themselves: notes are logged.

export const repair = {
  behind: "text behind the complete arguments was left out",
  closed: "missing closing brackets were added",
  comma: "a trailing comma was left out",
  comment: "comments were left out",
  control: "raw control characters in strings were escaped",
  cumulative: "fragments that repeat all before them were reduced to what is new",
  doubled: "fragments that came twice were taken once",
  encodedTwice: "arguments encoded twice were decoded",
  escape: "escape sequences that JSON does not know were corrected",
  fence: "a Markdown fence was taken off",
  invalid: "the arguments are not valid JSON and were passed on as they came",
  key: "property names were put in quotes",
  noObject: "arguments that are no object were replaced by an empty one",
  placeHolder: "an empty object ahead of the arguments was left out",
  quote: "single quotes were replaced by double ones",
  raw: "arguments that are no JSON were put under _raw_arguments",
  repeated: "arguments that came again were left out",
  second: "a further object in the arguments became a call of its own",
  unfinished: "the reply ended inside the arguments",
  word: "words that JSON does not know were replaced by true, false or null",
} as const satisfies Readonly<Record<string, string>>

/** Both lists, each text once, the first one's order kept; the first list itself when nothing is new. */
export function addRepairs(list: readonly string[], more: readonly string[]): readonly string[] {
  const added = more.filter((text, at) => !list.includes(text) && more.indexOf(text) === at)
  return added.length === 0 ? list : [...list, ...added]
}
