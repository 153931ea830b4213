// Texts of every class the estimator is judged by, of 500 tokens or more each: written for it (texts/) or generated.
// None of them was there when its tables were fitted, nor anything else in this repository.
import { readdirSync, readFileSync } from "node:fs"
import { generate, generators } from "./generated.ts"

export interface Sample {
  readonly name: string
  readonly class: string
  readonly text: string
}

const folder = new URL("texts/", import.meta.url)

/** `english.txt` and `english2.txt` are of one class. */
const written = readdirSync(folder)
  .toSorted()
  .map((file): Sample => {
    const name = file.replace(".txt", "")
    return { name, class: name.replace(/\d$/, ""), text: readFileSync(new URL(file, folder), "utf8") }
  })

/** The samples, with so many generated ones of each class. */
export function samplesOf(seeds: number): readonly Sample[] {
  const generated = Object.keys(generators).flatMap((name) =>
    Array.from(
      { length: seeds },
      (_, seed): Sample => ({ name: `${name} ${seed}`, class: name, text: generate(name, seed + 1) }),
    ),
  )
  return [...written, ...generated]
}

export const samples: readonly Sample[] = samplesOf(3)
