// The conversations that are held: their turns, and the models.yaml that leads each model to its upstream.
import type { Say, Shape } from "./conversation-shapes.ts"

// Spaces at the ends, characters of more than one unit, line ends, and words in the way of those who look for them.
const thought = (turn: number): string =>
  `\n Turn ${turn}: — is "é漢🎯" {right}?\r\n\tI </think> look…  twice, ${"and again ".repeat(turn)}\n`

const read = (turn: number, name: string) =>
  ({ name: "Read", input: { file_path: `/turn-${turn}/${name}` } }) as const
const run = (turn: number) => ({ name: "Bash", input: { command: `echo "${turn}"`, timeout: turn } }) as const

/** Six turns with thinking and tools. `thinkInText`: does the turn that only talks think as well? */
export function sixTurns(thinkInText = true): readonly Say[] {
  return [
    { think: thought(0), opaque: true, calls: [read(0, "a")] },
    { think: thought(1), opaque: true, calls: [read(1, "a"), run(1), read(1, "b")] },
    { think: thought(2), opaque: true, text: "Reading, then running.", calls: [read(2, "a"), run(2)] },
    { opaque: true, calls: [run(3)] },
    { text: "So far, so good.\n", ...(thinkInText ? { think: thought(4), opaque: true } : {}) },
    { think: thought(5), text: "It is done." },
  ]
}

/** The model of models.yaml that leads to an upstream with the rules of a shape's provider. */
export interface Model {
  readonly id: string
  readonly shape: Shape
  readonly url: string
}

/** The text of models.yaml. JSON is YAML. */
export function modelsFile(models: readonly Model[]): string {
  const entries = models.map(({ id, shape, url }) => ({
    ...{ model_id: id, model_name: shape.model, provider: shape.id, api_base: url },
    api_key_name: "SCRIPTED_API_KEY",
  }))
  return JSON.stringify(entries)
}

/** Settings beside that file. */
export function environmentFor(url: string, file: string): Readonly<Record<string, string>> {
  return {
    ...{ OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-scripted", SCRIPTED_API_KEY: "sk-scripted-too" },
    ...{ BIG_MODEL: "unused", CUSTOM_MODELS_FILE: file, MAX_RETRIES: "0" },
  }
}
