// Counts the tokens of short texts exactly, given an encoding's vocabulary and the rule by which it splits a text.
import { estimateText } from "../estimate.ts"
import { createMerge, longestPiece } from "./merge.ts"
import type { Vocabulary } from "./vocabulary.ts"

/** Tokens of a text of at most some ten thousand characters: more take longer than others should have to wait. */
export type Encoder = (text: string) => number

/** An encoder that reuses one buffer. A piece that no language has (512 bytes without a break) is estimated. */
export function createEncoder(vocabulary: Vocabulary, rule: string): Encoder {
  const merge = createMerge(vocabulary)
  const bytes = new Uint8Array(longestPiece + 4)
  // The rule leaves nothing out, so where one piece ends the next begins.
  const pattern = new RegExp(rule, "gu")

  function countPiece(text: string, from: number, to: number): number {
    const length = to - from > longestPiece ? -1 : writeBytes(text, from, to, bytes)
    return length < 0 ? estimateText(text.slice(from, to)) : merge(bytes, length)
  }

  return (text) => {
    let tokens = 0
    let from = 0
    pattern.lastIndex = 0
    while (from < text.length && pattern.test(text)) {
      tokens += countPiece(text, from, pattern.lastIndex)
      from = pattern.lastIndex
    }
    return from < text.length ? tokens + countPiece(text, from, text.length) : tokens
  }
}

const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff
const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff

/** The UTF-8 of a part of a text; half a surrogate pair becomes U+FFFD. Returns its length, -1 if it does not fit. */
function writeBytes(text: string, from: number, to: number, bytes: Uint8Array): number {
  let length = 0
  for (let at = from; at < to; at++) {
    if (length > longestPiece) return -1
    const code = text.charCodeAt(at)
    if (code < 0x80) bytes[length++] = code
    else {
      const whole = isHigh(code) && at + 1 < to && isLow(text.charCodeAt(at + 1))
      length = writeWide(bytes, length, whole ? (text.codePointAt(at++) ?? 0) : code)
    }
  }
  return length > longestPiece ? -1 : length
}

function writeWide(bytes: Uint8Array, length: number, point: number): number {
  let place = length
  if (point < 0x800) bytes[place++] = 0xc0 | (point >> 6)
  else {
    const code = isHigh(point) || isLow(point) ? 0xfffd : point
    if (code < 0x10000) bytes[place++] = 0xe0 | (code >> 12)
    else {
      bytes[place++] = 0xf0 | (code >> 18)
      bytes[place++] = 0x80 | ((code >> 12) & 63)
    }
    bytes[place++] = 0x80 | ((code >> 6) & 63)
    bytes[place++] = 0x80 | (code & 63)
    return place
  }
  bytes[place++] = 0x80 | (point & 63)
  return place
}
