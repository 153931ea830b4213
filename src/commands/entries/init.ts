// `init` in the command table.
import { type Described, type Invocation, withFlags } from "./entry.ts"

/** The entry of `init`. */
export function initEntry({ io, env }: Invocation): Described {
  return {
    name: "init",
    description: "Write a .env with every setting explained, for one provider or for any",
    args: {
      provider: {
        type: "positional",
        required: false,
        description: "openai, azure, deepseek, moonshot, gemini, ollama… (else the one whose key is set)",
      },
      force: { type: "boolean", description: "Replace the file there is; it is kept as .env.bak" },
      stdout: { type: "boolean", description: "Write the text to standard output, and no file" },
    },
    examples: [
      ["claude-proxy init deepseek", "a .env for DeepSeek in the configuration folder"],
      ["claude-proxy init", "for the provider whose key is in the environment, or for any"],
      ["claude-proxy init azure --stdout > project.env", "a file of one's own, for --env project.env"],
      ["claude-proxy init kimi --force", "begin again; the old file is kept"],
    ],
    run: (given) =>
      withFlags("init", given, io, async (flags) => {
        const { init } = await import("../init/init.ts")
        return init(flags, io, env)
      }),
  }
}
