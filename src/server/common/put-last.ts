// Maps that forget what was not used for the longest time.

/** Sets an entry and makes it the last one; of more than `most` the first ones go. */
export function putLast<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= most) break
    map.delete(oldest)
  }
}
