// `bench` in the command table.
import { type Described, demo, envFile, type Invocation, json, modelsFile, withFlags } from "./entry.ts"

/** The entry of `bench`. */
export function benchEntry({ io }: Invocation): Described {
  return {
    name: "bench",
    description: "Measure what the proxy adds to a model's replies, against asking the model directly",
    args: {
      model: { type: "string", valueHint: "name", description: "This model (else the one opus leads to)" },
      rounds: { type: "string", valueHint: "number", description: "Requests by either way (else 5)" },
      "max-tokens": {
        type: "string",
        valueHint: "tokens",
        description: "The longest reply that is asked for (else 512)",
      },
      prompt: {
        type: "string",
        valueHint: "text",
        description: "What is asked (else: count to sixty in words)",
      },
      demo,
      env: envFile,
      config: modelsFile,
      timeout: {
        type: "string",
        valueHint: "seconds",
        description: "How long one request may take (else 120)",
      },
      json,
    },
    examples: [
      ["claude-proxy bench --demo", "against the built-in upstream: no key, no cost"],
      ["claude-proxy bench --model deepseek/deepseek-v4-pro", "12 short requests, which cost what they cost"],
      ["claude-proxy bench --rounds 20 --json", "a steadier figure, for programs"],
    ],
    run: (given) =>
      withFlags("bench", given, io, async ({ env, config, timeout, rounds, ...flags }) => {
        const { bench } = await import("../bench/bench.ts")
        const numbers = { rounds, maxTokens: flags["max-tokens"], timeoutSeconds: Number(timeout ?? 120) }
        return bench({ ...flags, ...numbers, envFile: env, modelsFile: config }, io)
      }),
  }
}
