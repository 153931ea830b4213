// A body as it comes, piece by piece.

/** What we use of a body's reader. */
export interface ByteReader {
  readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  readonly cancel: () => Promise<void>
}

/** What a read brought. */
export type Read = Awaited<ReturnType<ByteReader["read"]>>

/** The reader of a response's body; where it has none, of nothing. */
export function readerOf({ body }: Response): ByteReader {
  return (body ?? new Blob([]).stream()).getReader()
}
