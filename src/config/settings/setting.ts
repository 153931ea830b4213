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
  /** A secret may be part of the value. */
  readonly holdsSecrets?: true
  /** A variable of the whole system: read from the environment in either case, never a near miss. */
  readonly foreign?: true
}
