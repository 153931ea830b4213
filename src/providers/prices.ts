// What a model's tokens cost: made by config, read by observe.

/** US dollars for one token. */
export interface Prices {
  readonly input: number
  readonly output: number
  /** For tokens read from the provider's cache. Undefined: not known. */
  readonly cacheRead: number | undefined
  /** For tokens written into the provider's cache. Undefined: not known. */
  readonly cacheWrite?: number | undefined
}
