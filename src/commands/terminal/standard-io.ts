// The process's own input and output, as commands get them.
import { decodeText, isTerminal } from "../../config/load/disk.ts"
import type { CommandIo, Environment } from "./io.ts"

/** `onLost` hears when standard output takes nothing any more; when standard error does not, nobody can be told. */
export function standardIo(env: Environment, onLost: (error: unknown) => void): CommandIo {
  const plain = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb"
  const error = output(Bun.stderr, () => {})
  return {
    out: output(Bun.stdout, onLost).write,
    error: error.write,
    errorSoon: error.writeSoon,
    errorWaits: error.waits,
    readStdin: async () => decodeText(await Bun.stdin.bytes()),
    readFile: async (path) => decodeText(await Bun.file(path).bytes()),
    stdinIsTerminal: isTerminal(0),
    color: !plain && isTerminal(1),
  }
}

interface Output {
  readonly write: (text: string) => void
  /** The same, but what comes thick and fast goes out together: a write for each line is a tenth of a small request. */
  readonly writeSoon: (text: string) => void
  /** In characters. */
  readonly waits: () => number
}

// Nobody reads faster, and the process that ends writes what is left.
const soonMs = 20
const mostHeld = 65_536

/** Text goes out at once where it can; where a pipe is full it waits for it, and nothing waits for the text. */
function output(file: Bun.BunFile, onLost: (error: unknown) => void): Output {
  let sink: Bun.FileSink | undefined
  let waiting = 0
  let held = ""
  let wroteAt = 0
  let ending = false

  async function settle(written: Promise<number>, length: number): Promise<void> {
    waiting += length
    try {
      await written
    } catch (error) {
      onLost(error)
    }
    waiting -= length
  }

  function writeNow(given: string): void {
    const text = held + given
    held = ""
    if (text === "") return
    wroteAt = performance.now()
    try {
      sink ??= file.writer()
      const taken = sink.write(text)
      const flushed = sink.flush()
      if (typeof taken !== "number") void settle(taken, text.length)
      if (typeof flushed !== "number") void settle(flushed, typeof taken === "number" ? text.length : 0)
    } catch (error) {
      onLost(error)
    }
  }

  const release = () => writeNow("")

  function writeSoon(text: string): void {
    const first = held === ""
    const rare = first && performance.now() - wroteAt > soonMs
    if (rare || held.length + text.length > mostHeld) {
      writeNow(text)
      return
    }
    held += text
    if (!first) return
    setTimeout(release, soonMs).unref()
    // Where a pipe is full, what is written at the very end is lost; before it, the process waits for its reader.
    if (!ending) for (const end of ["beforeExit", "exit"]) process.on(end, release)
    ending = true
  }

  return { write: writeNow, writeSoon, waits: () => waiting + held.length }
}
