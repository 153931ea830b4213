// Sources whose values come later than they are asked for.
import type { Soon } from "../../src/upstream/batches.ts"

/** Asked once, it promises; asked again, it gives. */
export function later<T>(give: () => T | Promise<T>): () => Soon<T> {
  let come: { readonly value: T } | undefined
  const bring = async () => {
    come = { value: await give() }
  }
  return () => {
    if (come === undefined) return bring()
    const { value } = come
    come = undefined
    return value
  }
}
