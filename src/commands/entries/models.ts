// `models` in the command table.
import { type Described, envFile, type Invocation, json, modelsFile, withFlags } from "./entry.ts"

/** The entry of `models`. */
export function modelsEntry({ io, env: environment }: Invocation): Described {
  return {
    name: "models",
    description: "List the models that can be reached, and what is known of them",
    args: {
      all: { type: "boolean", description: "Also the usual models of every provider whose key is set" },
      json,
      schema: { type: "boolean", description: "Write the JSON Schema of models.yaml instead, for editors" },
      forget: {
        type: "string",
        valueHint: "model",
        description: "Forget what upstreams have refused of this model, or of all",
      },
      env: envFile,
      config: modelsFile,
    },
    examples: [
      ["claude-proxy models", "which model answers for which, and what it can do"],
      ["claude-proxy models --all", "and what else the keys at hand would open"],
      ["claude-proxy models --json --config ./models.yaml", "one file's models, for programs"],
      ["claude-proxy models --forget gpt-5", "send it again what it has refused; all forgets everything"],
      ["claude-proxy models --schema > models.schema.json", "so that an editor knows the file's keys"],
    ],
    run: (given) =>
      withFlags("models", given, io, async ({ env, config, ...flags }) => {
        const { models } = await import("../models/models.ts")
        const { stateFolder } = await import("../instances/folder.ts")
        const folder = stateFolder(environment)
        return models({ ...flags, envFile: env, configFile: config, folder }, io)
      }),
  }
}
