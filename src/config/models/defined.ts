// Fields as the rest of the house has them: without what was left out, and in its own spelling.

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The object without the members that are undefined. */
export function defined<T extends object>(fields: T): Defined<T>
export function defined(fields: object): unknown {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

type Camel<S> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S

/** The key of T that is spelt like this in camelCase. */
type KeyOf<T, C> = { [K in keyof T]-?: Camel<K> extends C ? K : never }[keyof T]

type Camelised<T> = { [C in Extract<Camel<keyof T>, string>]?: Exclude<T[KeyOf<T, C>], undefined> }

/** The same with `snake_case` names turned into `camelCase`, one level deep. */
export function camelised<T extends object>(fields: T): Camelised<T>
export function camelised(fields: object): unknown {
  const named = Object.entries(fields).map(([key, value]) => [camelCase(key), value])
  return defined(Object.fromEntries(named))
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
