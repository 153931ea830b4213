// The world as a command sees it. Commands get it as an argument, so tests need neither a terminal nor a disk.

/** The environment as a command gets it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The variables that have a value. */
export function defined(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

export interface CommandIo {
  /** Writes to standard output, exactly as given. */
  readonly out: (text: string) => void
  /** Writes to standard error, exactly as given. */
  readonly error: (text: string) => void
  /** The same, a moment later if much is written: for the log. Left out: there is no difference. */
  readonly errorSoon?: (text: string) => void
  /** How many characters of it wait for whoever reads them; left out: none. */
  readonly errorWaits?: () => number
  /** All of standard input. */
  readonly readStdin: () => Promise<string>
  /** A file's text; rejects with the system's reason. */
  readonly readFile: (path: string) => Promise<string>
  readonly stdinIsTerminal: boolean
  readonly color: boolean
}

/** Tells the user, in this program's name. */
export function say(io: Pick<CommandIo, "error">, text: string): void {
  io.error(`claude-proxy: ${text}\n`)
}

/** Says why the command goes no further, and gives its exit code. */
export function fail(io: Pick<CommandIo, "error">, text: string, exitCode = 1): number {
  say(io, text)
  return exitCode
}
