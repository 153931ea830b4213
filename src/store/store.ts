// What proxies keep for a while and may share: values with a time to live, buckets of tokens, and marks. It is
// kept in this process's memory, or in a Redis for several of them.

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
  /** Whether the others' tokens were counted too, or only what this process took. */
  readonly shared: boolean
}

/** Nothing here ever rejects: a store that cannot be reached knows nothing, and says so in the log. */
export interface Store {
  /** What was kept under this key; undefined: nothing, or not any more. */
  readonly get: (key: string) => Promise<string | undefined>
  /** Keeps a value for so many milliseconds, if it is not too large: that there is room for it is no promise. */
  readonly set: (key: string, value: string, ttlMs: number) => Promise<void>
  /** Takes one token out of the bucket of this name, which is full when it is first heard of. */
  readonly take: (key: string, bucket: Bucket) => Promise<Taken>
  /** Tells the others something for so many milliseconds, the longest time counts. False: they do not hear it. */
  readonly mark: (group: string, name: string, ttlMs: number) => Promise<boolean>
  /** Takes marks back, whoever made them. */
  readonly unmark: (group: string, names: readonly string[]) => Promise<void>
  /** All marks of a group and the milliseconds they still hold; undefined: it is not known what others say. */
  readonly marks: (group: string) => Promise<ReadonlyMap<string, number> | undefined>
  /** Is what is kept here seen by other processes? False while they cannot be reached as well. */
  readonly shared: () => boolean
  readonly close: () => void
}
