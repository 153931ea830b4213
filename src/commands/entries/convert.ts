// `convert` in the command table.
import { type Described, envFile, type Invocation, withFlags } from "./entry.ts"

/** The entry of `convert`. */
export function convertEntry({ io }: Invocation): Described {
  return {
    name: "convert",
    description: "Show what the proxy makes of a request, a reply or a stream",
    args: {
      file: { type: "positional", required: false, description: "JSON or a stream (else standard input)" },
      to: {
        type: "string",
        valueHint: "dialect",
        description: "openai, responses (OpenAI's other API) or anthropic (else the other one)",
      },
      from: {
        type: "string",
        valueHint: "dialect",
        description: "openai or anthropic (else it is recognised)",
      },
      model: { type: "string", valueHint: "name", description: "Convert for this model" },
      request: {
        type: "string",
        valueHint: "file",
        description: "For an OpenAI reply: the Anthropic request it answers, with its tools and stops",
      },
      env: envFile,
      explain: { type: "boolean", description: "Say on standard error what was dropped or changed, and why" },
    },
    examples: [
      [`echo '{"messages":[{"role":"user","content":"hi"}]}' | claude-proxy convert`, "a request"],
      ["claude-proxy convert reply.json", "an OpenAI reply as an Anthropic message, or the reverse"],
      ["claude-proxy convert --request request.json stream.txt", "a stream, as who sent the request gets it"],
      ["claude-proxy convert --to anthropic request.json", "an OpenAI request as an Anthropic one"],
      ["claude-proxy convert --to responses request.json", "a request for OpenAI's Responses API"],
      ["claude-proxy convert --explain --model gpt-5 request.json", "and why it looks as it does"],
    ],
    run: (given) =>
      withFlags("convert", given, io, async ({ env, ...flags }) => {
        const { convert } = await import("../convert/convert.ts")
        return convert({ ...flags, envFile: env }, io)
      }),
  }
}
