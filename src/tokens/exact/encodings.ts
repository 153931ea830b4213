// Which encoding a model's tokens are counted in.

export type EncodingName = "o200k_base" | "cl100k_base"

export interface Encoding {
  readonly name: EncodingName
  /** Whether the model is known to use it; for every other model the count is an approximation. */
  readonly known: boolean
}

/** First match wins. GPT-4o, 4.1 and later, the o series and gpt-oss share one vocabulary; GPT-4 and 3.5 another. */
const families: readonly (readonly [RegExp, EncodingName])[] = [
  [/^(?:chatgpt-|gpt-(?:4o|4\.1|4\.5|5|oss)|codex-)/, "o200k_base"],
  [/^o\d/, "o200k_base"],
  [/^(?:gpt-4|gpt-3\.5|gpt-35|text-embedding-)/, "cl100k_base"],
]

/** The encoding of a model, also of `openai/gpt-4o` and `ft:gpt-4o:…`; o200k_base, unknown, for what is none of OpenAI's. */
export function encodingOf(model: string | undefined): Encoding {
  const name = (model ?? "").toLowerCase()
  const bare = name.slice(name.lastIndexOf("/") + 1).replace(/^ft:/, "")
  const family = families.find(([pattern]) => pattern.test(bare))
  return family === undefined ? { name: "o200k_base", known: false } : { name: family[1], known: true }
}
