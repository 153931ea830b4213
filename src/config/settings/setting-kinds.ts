// What rows of the table of settings have in common.
import type { Setting } from "./setting.ts"

/** A row before it is put into its group. */
export type SettingRow = Omit<Setting, "group">

export const most = Number.MAX_SAFE_INTEGER
// A timer of more than 2^31-1 ms fires at once instead of late.
export const longestTimer = 2_147_483

export const unset = { default: undefined } as const
export const text = { kind: "string", ...unset } as const
export const secret = { kind: "secret", ...unset } as const
export const word = { kind: "enum", ...unset } as const
export const outer = { ...text, foreign: true } as const

type Range = readonly [number, number]

export const integer = (value: string | undefined, range: Range) =>
  ({ kind: "integer", default: value, range }) as const
export const number = (value: string | undefined, range: Range) =>
  ({ kind: "number", default: value, range }) as const
export const tokens = (value: string, range: Range) => ({ kind: "tokens", default: value, range }) as const
