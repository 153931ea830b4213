// The lines of the log on standard error. Whoever reads them may stop doing so, as a terminal that is held back does,
// or a pipe that nobody empties: then they wait, and what waits must not fill the memory.
import type { CommandIo } from "./io.ts"

// As much as waits for a log file that cannot be written.
const mostWaiting = 4 * 1024 * 1024

/** Does as much wait for the reader of standard error as may wait? */
export function isHeldUp({ errorWaits = () => 0 }: Pick<CommandIo, "errorWaits">): boolean {
  return errorWaits() > mostWaiting
}

/** Shows lines while they are read. Of those that were not shown `onLost` hears the number, once lines are read again. */
export function createShown(
  io: Pick<CommandIo, "error" | "errorSoon" | "errorWaits">,
  onLost: (lines: number) => void,
): (line: string) => void {
  const { errorSoon = io.error } = io
  let lost = 0
  return (line) => {
    if (isHeldUp(io)) {
      lost += 1
      return
    }
    const before = lost
    lost = 0
    if (before > 0) onLost(before)
    errorSoon(`${line}\n`)
  }
}
