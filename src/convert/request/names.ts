// Tool names and call ids in the form an upstream takes: pure functions of the original, so that the same
// history gives the same bytes on every turn and the provider's prefix cache stays warm.

/** 53 bits of hash as hexadecimal digits: stable, not cryptographic. */
function digest(text: string): string {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    high = Math.imul(high ^ code, 2654435761)
    low = Math.imul(low ^ code, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return (low >>> 0).toString(16).padStart(8, "0") + (high >>> 0).toString(16).padStart(8, "0")
}

/** A function name of at most `max` characters out of `[a-zA-Z0-9_-]`; the same when it is one already. */
export function mapToolName(name: string, max: number): string {
  if (name.length <= max && /^[a-zA-Z0-9_-]+$/.test(name)) return name
  const clean = name.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, max - 9)
  return `${clean}_${digest(name).slice(0, 8)}`
}

/** A call id of at most `max` characters out of `[a-zA-Z0-9_-]`; the same when it is one already. */
export function mapToolId(id: string, max: number): string {
  if (id.length <= max && /^[a-zA-Z0-9_-]+$/.test(id)) return id
  return `call_${digest(id)}${digest(`${id}#`)}`.slice(0, max)
}
