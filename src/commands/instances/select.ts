// Which instances a command means.
import { keyOf } from "../../config/models/instance-name.ts"
import { nearest } from "../command-line/arguments.ts"
import type { InstanceRecord } from "./record.ts"

export interface Wanted {
  readonly name?: string | undefined
  readonly all: boolean
}

type Selection =
  | { readonly kind: "some"; readonly records: readonly InstanceRecord[] }
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly problem: string }
  | { readonly kind: "which"; readonly problem: string }

/** The named one, all of them, or the only one there is. */
export function select(records: readonly InstanceRecord[], { name, all }: Wanted): Selection {
  if (name !== undefined && all) return { kind: "which", problem: "give a name or --all, not both." }
  if (name !== undefined) {
    const found = records.find((record) => keyOf(record.name) === keyOf(name))
    if (found !== undefined) return { kind: "some", records: [found] }
    return {
      kind: "unknown",
      problem: unknownName(
        name,
        records.map((record) => record.name),
      ),
    }
  }
  if (records.length === 0) return { kind: "none" }
  if (all || records.length === 1) return { kind: "some", records }
  const names = records.map((record) => record.name).join(", ")
  return { kind: "which", problem: `which one? ${names}. Give a name, or --all.` }
}

/** That there is no instance of this name, and which one may be meant. */
export function unknownName(name: string, names: readonly string[]): string {
  const meant = nearest(name, names)
  if (meant !== undefined) return `no proxy is called ${name}. Did you mean ${meant}?`
  const known = names.length === 0 ? "None was started" : `There is ${names.join(", ")}`
  return `no proxy is called ${name}. ${known}; claude-proxy serve --detach --name ${name} starts one.`
}

export const howToStart =
  "No proxy was started in the background or under a name. To start one: claude-proxy serve --detach"
