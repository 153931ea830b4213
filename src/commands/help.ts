// The help texts: citty's, with examples and settings.
import { stripVTControlCharacters } from "node:util"
import { type ArgsDef, type CommandDef, defineCommand, renderUsage } from "citty"
import { version } from "./common/version.ts"
import { renderSettingsHelp } from "./settings-help.ts"
import type { CommandEntry } from "./table.ts"

/** The root as citty describes it: the list of commands. */
function rootCommand(entries: readonly CommandEntry[]): CommandDef {
  return defineCommand<ArgsDef>({
    meta: {
      name: "claude-proxy",
      version,
      description: "Claude Code with any model behind an OpenAI-compatible endpoint",
    },
    subCommands: Object.fromEntries(entries.map((entry) => [entry.name, entry.command])),
  })
}

/** The text for `--help` alone; without `color` it is plain text. */
export async function renderRootHelp(entries: readonly CommandEntry[], color: boolean): Promise<string> {
  const examples = entries.flatMap((entry) => entry.examples.slice(0, 1))
  const usage = await renderUsage(rootCommand(entries))
  return finish(`${usage}\n\n${renderExamples(examples)}\n`, color)
}

/** The text for `COMMAND --help`. */
export async function renderCommandHelp(
  entry: CommandEntry,
  entries: readonly CommandEntry[],
  color: boolean,
): Promise<string> {
  const usage = await renderUsage(entry.command, rootCommand(entries))
  const shown = entry.restBelongsToChild
    ? usage.replace("[OPTIONS]", "[OPTIONS] [-- COMMAND [ARGUMENTS]]")
    : usage
  const settings = renderSettingsHelp(entry.name)
  const last = settings === "" ? "" : `\n${settings}\n`
  return finish(`${shown}\n${renderExamples(entry.examples)}\n${last}`, color)
}

// citty colours whatever it is asked for, and pads its last column.
function finish(text: string, color: boolean): string {
  return color ? text : stripVTControlCharacters(text).replace(/[ \t]+$/gm, "")
}

function renderExamples(examples: CommandEntry["examples"]): string {
  // Long lines would push the explanations of the others off the screen: those get theirs below.
  const widest = Math.max(...examples.map(([line]) => line.length).filter((length) => length <= 55))
  const lines = examples.map(([line, what]) => `  ${line.padEnd(widest)}  # ${what}`)
  return `EXAMPLES\n\n${lines.join("\n")}`
}
