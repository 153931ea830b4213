// The parts that the lists of words are made of.

/** The kinds of task that are told apart; `reasoning` includes mathematics. */
export type Task = "code" | "reasoning" | "creative" | "analysis" | "chat"

/** What speaks for a kind of task, and how much; counted once, however often it occurs. */
export interface Rule {
  readonly task: Task
  readonly points: number
  readonly pattern: RegExp
}

/** Rules for whole words, in any case: each list holds alternatives, as the inside of a pattern. */
export function words(task: Task, points: number, lists: readonly string[]): readonly Rule[] {
  return lists.map((list) => ({ task, points, pattern: new RegExp(`\\b(?:${list})\\b`, "i") }))
}

/** The same for a language that puts no spaces between its words. */
export function parts(task: Task, points: number, lists: readonly string[]): readonly Rule[] {
  return lists.map((list) => ({ task, points, pattern: new RegExp(list, "i") }))
}

type Nouns = Readonly<Record<Exclude<Task, "chat">, string>>

/**
 * A pattern for a request to make something: `verb`, with what may follow it, and then the first noun of any
 * kind. The name of the group that matched is the kind of task.
 */
export function making(verb: string, { creative, code, reasoning, analysis }: Nouns): RegExp {
  const nouns = [
    `(?<creative>${creative})`,
    `(?<code>${code})`,
    `(?<reasoning>${reasoning})`,
    `(?<analysis>${analysis})`,
  ]
  return new RegExp(`${verb}(?:${nouns.join("|")})`, "i")
}
