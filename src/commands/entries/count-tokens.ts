// `count-tokens` in the command table.
import { type Described, type Invocation, withFlags } from "./entry.ts"

/** The entry of `count-tokens`. */
export function countTokensEntry({ io }: Invocation): Described {
  return {
    name: "count-tokens",
    description: "Count the tokens of a request or a text",
    args: {
      file: { type: "positional", required: false, description: "A request or a text (else standard input)" },
      model: { type: "string", valueHint: "name", description: "Count as this model of OpenAI's does" },
      estimate: { type: "boolean", description: "Estimate, as the proxy does while it works" },
      "by-part": { type: "boolean", description: "Split into system, each tool, and messages" },
      json: { type: "boolean", description: "Write JSON" },
    },
    examples: [
      ["claude-proxy count-tokens request.json", "how large a request is"],
      ["claude-proxy count-tokens --by-part --json request.json", "and what in it is large"],
      ["claude-proxy count-tokens --estimate < notes.txt", "a plain text, roughly"],
      ["claude-proxy count-tokens --model gpt-4 chat.json", "in the encoding of an older model"],
    ],
    run: (given) =>
      withFlags("count-tokens", given, io, async ({ file, model, estimate, json, ...flags }) => {
        const { countTokens } = await import("../count-tokens/count-tokens.ts")
        return countTokens({ file, model, estimate, json, byPart: flags["by-part"] }, io)
      }),
  }
}
