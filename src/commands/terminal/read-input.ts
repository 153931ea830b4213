// The text a command works on: a file, or standard input.
import { errorMessage } from "../../protocol/fault.ts"
import { type CommandIo, say } from "./io.ts"

type InputText =
  | { readonly ok: true; readonly text: string }
  /** Said already; only the exit code is left. */
  | { readonly ok: false; readonly code: number }

/**
 * Reads FILE, or standard input when there is none or it is `-`. Nothing given at a terminal is wrong usage (2);
 * what cannot be read, or is empty, has failed (1). `command` is named in the messages.
 */
export async function readInput(
  file: string | undefined,
  command: string,
  io: CommandIo,
): Promise<InputText> {
  if (file === undefined && io.stdinIsTerminal) {
    say(io, `nothing to read: name a FILE, or pipe one in (claude-proxy ${command} --help)`)
    return { ok: false, code: 2 }
  }
  const fromStdin = file === undefined || file === "-"
  const name = fromStdin ? "standard input" : file
  try {
    const text = fromStdin ? await io.readStdin() : await io.readFile(file)
    if (text.trim() !== "") return { ok: true, text }
    say(io, `${name} is empty`)
  } catch (error) {
    say(io, `cannot read ${name}: ${errorMessage(error)}`)
  }
  return { ok: false, code: 1 }
}
