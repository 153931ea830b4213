// The world of a command, made of texts: what it reads is given, what it writes is kept.
import type { CommandIo } from "../../src/commands/terminal/io.ts"

export interface World {
  readonly files?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly stdinIsTerminal?: boolean
}

export interface CommandResult {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** Runs a command in that world. */
export async function inWorld(
  world: World,
  command: (io: CommandIo) => Promise<number>,
): Promise<CommandResult> {
  let out = ""
  let error = ""
  const code = await command({
    out: (text) => {
      out += text
    },
    error: (text) => {
      error += text
    },
    readStdin: async () => world.stdin ?? "",
    readFile: async (path) => {
      const text = world.files?.[path]
      if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
      return text
    },
    stdinIsTerminal: world.stdinIsTerminal ?? false,
    color: false,
  })
  return { code, out, error }
}
