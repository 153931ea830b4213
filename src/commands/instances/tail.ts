// The end of a file, and what is added to it.
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs"

const pieceSize = 65_536

/** Read from the end, so that a long file costs no more than what is shown of it. */
export function lastLines(path: string, lines: number, size?: number): readonly string[] {
  const file = openFile(path)
  if (file === undefined) return []
  try {
    const pieces: Buffer[] = []
    let position = size ?? fstatSync(file).size
    let breaks = 0
    while (position > 0 && breaks <= lines) {
      const piece = readPiece(file, Math.max(0, position - pieceSize), position)
      pieces.unshift(piece)
      position = Math.max(0, position - pieceSize)
      for (const byte of piece) if (byte === newline) breaks += 1
    }
    const text = Buffer.concat(pieces).toString("utf8").replace(/\n$/, "")
    return text === "" || lines === 0 ? [] : text.split("\n").slice(-lines)
  } finally {
    closeSync(file)
  }
}

const newline = 10

function readPiece(file: number, from: number, to: number): Buffer {
  const piece = Buffer.alloc(to - from)
  return piece.subarray(0, readSync(file, piece, 0, piece.length, from))
}

export interface Tail {
  /** What is there already is not given; gives how many bytes that is. */
  readonly skip: () => number
  /** What was added since: the rest of the file that was followed, then the one in its place. */
  readonly take: () => readonly string[]
}

/** Follows a path over renames, removals and truncations, as `tail -F` does. */
export function createTail(path: string): Tail {
  let file: number | undefined
  let position = 0
  let decoder = new TextDecoder()

  function reopen(): void {
    if (file !== undefined) closeSync(file)
    file = openFile(path)
    position = 0
    decoder = new TextDecoder()
  }

  function rest(): readonly string[] {
    if (file === undefined) return []
    const { size } = fstatSync(file)
    if (size < position) {
      position = 0
      decoder = new TextDecoder()
    }
    const texts: string[] = []
    while (position < size) {
      const piece = readPiece(file, position, Math.min(size, position + pieceSize))
      if (piece.length === 0) break
      position += piece.length
      texts.push(decoder.decode(piece, { stream: true }))
    }
    return texts
  }

  return {
    skip: () => {
      reopen()
      position = file === undefined ? 0 : fstatSync(file).size
      return position
    },
    take: () => {
      const texts = rest()
      if (file !== undefined && sameFile(file, path)) return texts
      // The last lines may have been written between the look at it and the rename.
      const late = rest()
      reopen()
      return [...texts, ...late, ...rest()]
    },
  }
}

function sameFile(file: number, path: string): boolean {
  try {
    const [one, other] = [fstatSync(file, { bigint: true }), statSync(path, { bigint: true })]
    return one.ino === other.ino && one.dev === other.dev
  } catch {
    // Between the rename and the first line of the new day there is no file: the old one is kept.
    return true
  }
}

function openFile(path: string): number | undefined {
  try {
    return openSync(path, "r")
  } catch {
    return undefined
  }
}
