// A list that grows at one end without being copied: nothing limits how long a reply makes it.

export interface Link<T> {
  readonly item: T
  readonly before: Link<T> | undefined
}

/** What the list holds, the first of it first. */
export function inOrder<T>(last: Link<T> | undefined): T[] {
  const items: T[] = []
  for (let link = last; link !== undefined; link = link.before) items.push(link.item)
  return items.reverse()
}
