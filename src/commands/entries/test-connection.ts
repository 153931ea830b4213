// `test-connection` in the command table.
import { fail } from "../terminal/io.ts"
import { type Described, envFile, type Invocation, json, modelsFile, withFlags } from "./entry.ts"

/** The entry of `test-connection`. */
export function testConnectionEntry({ io }: Invocation): Described {
  return {
    name: "test-connection",
    description: "Try the models with small requests, and say what to do about those that fail",
    args: {
      model: { type: "string", valueHint: "name", description: "This model alone" },
      all: { type: "boolean", description: "Also the models of models.yaml that nothing leads to by itself" },
      env: envFile,
      config: modelsFile,
      timeout: {
        type: "string",
        valueHint: "seconds",
        description: "How long one request may take (else 60)",
      },
      json,
    },
    examples: [
      ["claude-proxy test-connection", "the models that opus, sonnet and haiku lead to"],
      ["claude-proxy test-connection --all", "and every model of models.yaml"],
      ["claude-proxy test-connection --model deepseek/deepseek-v4-pro", "one model, by its name"],
      ["claude-proxy test-connection --json", "for programs"],
    ],
    run: (given) =>
      withFlags("test-connection", given, io, async ({ env, config, timeout, ...flags }) => {
        if (flags.all && flags.model !== undefined)
          return fail(io, "--model tests one model and --all tests every one: leave one of them out.", 2)
        const { testConnection } = await import("../test-connection/test-connection.ts")
        const options = { ...flags, envFile: env, modelsFile: config, timeoutSeconds: Number(timeout ?? 60) }
        return testConnection(options, io)
      }),
  }
}
