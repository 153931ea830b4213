// The process's own input and output, as commands get them.
import { isTerminal } from "../config/disk.ts"
import type { CommandIo, Environment } from "./io.ts"

/** `onLost` hears when standard output takes nothing any more; when standard error does not, nobody can be told. */
export function standardIo(env: Environment, onLost: (error: unknown) => void): CommandIo {
  const plain = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb"
  return {
    out: output(Bun.stdout, onLost),
    error: output(Bun.stderr, () => {}),
    readStdin: () => Bun.stdin.text(),
    readFile: (path) => Bun.file(path).text(),
    stdinIsTerminal: isTerminal(0),
    color: !plain && isTerminal(1),
  }
}

/** Text goes out at once where it can; where a pipe is full it waits for it, and nothing waits for the text. */
function output(file: Bun.BunFile, onLost: (error: unknown) => void): (text: string) => void {
  let sink: Bun.FileSink | undefined
  async function settle(written: number | Promise<number>): Promise<void> {
    try {
      await written
    } catch (error) {
      onLost(error)
    }
  }
  return (text) => {
    try {
      sink ??= file.writer()
      for (const written of [sink.write(text), sink.flush()])
        if (typeof written !== "number") void settle(written)
    } catch (error) {
      onLost(error)
    }
  }
}
