// What proxies keep for a while and may share: values with a time to live, and buckets of tokens. It is kept in
// this process's memory, or in a Redis for several of them.

/** How much may be taken: the bucket holds `capacity` tokens and fills up evenly within `refillMs`. */
export interface Bucket {
  readonly capacity: number
  readonly refillMs: number
}

export interface Taken {
  readonly allowed: boolean
  /** Whole tokens that are left. */
  readonly remaining: number
  /** Milliseconds until there is one token again; 0 where there is one. */
  readonly waitMs: number
  /** Milliseconds until the bucket is full again. */
  readonly fullMs: number
}

/** Nothing here ever rejects: a store that cannot be reached knows nothing, and says so in the log. */
export interface Store {
  /** What was kept under this key; undefined: nothing, or not any more. */
  readonly get: (key: string) => Promise<string | undefined>
  /** Keeps a value for so many milliseconds. */
  readonly set: (key: string, value: string, ttlMs: number) => Promise<void>
  /** Takes one token out of the bucket of this name, which is full when it is first heard of. */
  readonly take: (key: string, bucket: Bucket) => Promise<Taken>
  readonly close: () => void
}
