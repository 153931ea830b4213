// The characters and words that JSON is made of, by code.

export const [tab, newline, carriageReturn, space] = [9, 10, 13, 32]
export const [quote, apostrophe, comma, minus, slash, backslash, star] = [34, 39, 44, 45, 47, 92, 42]
export const [openBrace, closeBrace, openBracket, closeBracket] = [123, 125, 91, 93]

export const isSpace = (code: number) =>
  code === space || code === newline || code === carriageReturn || code === tab
export const isClosing = (code: number) => code === closeBrace || code === closeBracket
export const isDigit = (code: number) => code >= 48 && code <= 57
const isLetter = (code: number) => (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
export const isWord = (code: number) => isLetter(code) || isDigit(code) || code === 95 || code === 36
export const isNumber = (code: number) => isWord(code) || code === minus || code === 43 || code === 46
export const isHex = (code: number) => isDigit(code) || /[a-f]/i.test(String.fromCharCode(code))

/** How a control character is written inside a string. */
export function escaped(code: number): string {
  if (code === newline) return "\\n"
  if (code === tab) return "\\t"
  return code === carriageReturn ? "\\r" : `\\u${code.toString(16).padStart(4, "0")}`
}

/** Words of Python and JavaScript, and what JSON says instead. */
export const literals: ReadonlyMap<string, string> = new Map([
  ["True", "true"],
  ["False", "false"],
  ["None", "null"],
  ["NaN", "null"],
  ["Infinity", "null"],
  ["-Infinity", "null"],
  ["undefined", "null"],
])
