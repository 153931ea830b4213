// A stream of bytes in one piece, as far as it is not too long.
import type { ByteReader } from "../../upstream/byte-reader.ts"

/** Everything a stream gives, or undefined once it is more than the limit; then nothing more is read of it. */
export async function readLimited(
  reader: ByteReader,
  limit: number,
  onBytes: (count: number) => void = () => {},
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done || value === undefined) return Buffer.concat(chunks)
    onBytes(value.byteLength)
    size += value.byteLength
    if (size > limit) break
    chunks.push(value)
  }
  reader.cancel().catch(() => {})
  return undefined
}
