// The form of a row of the table of settings.

export interface Setting {
  readonly name: string
  /** What it belongs to, for texts that show the settings in order. */
  readonly group:
    | "upstream"
    | "models"
    | "routing"
    | "server"
    | "limits"
    | "clients"
    | "store"
    | "network"
    | "keys"
  /**
   * `number` takes fractions, `tokens` a count that may end in k (times 1024); a `list` is comma-separated;
   * the value of a `secret` is never shown.
   */
  readonly kind: "string" | "integer" | "tokens" | "number" | "boolean" | "list" | "enum" | "secret"
  /** As it would be written in a file; undefined: unset, and the line of documentation says what then. */
  readonly default: string | undefined
  readonly doc: string
  /** The command-line flag that sets it. */
  readonly flag?: string
  /** For numbers of all kinds: the smallest and the largest value allowed. */
  readonly range?: readonly [number, number]
  /** What such a number counts, for messages: numbers are written without a unit. */
  readonly unit?: "seconds" | "bytes" | "days"
  /** A secret may be part of the value. */
  readonly holdsSecrets?: true
  /** A variable of the whole system: read from the environment in either case, never a near miss. */
  readonly foreign?: true
}

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
