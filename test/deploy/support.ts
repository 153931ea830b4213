// The files of deploy/, as its tests read them.
import { join, resolve } from "node:path"
import { parse } from "yaml"
import { isObject, type JsonObject, objectOf, textOf } from "../../src/protocol/json.ts"

export const root = resolve(import.meta.dir, "../..")
export const deploy = join(root, "deploy")

export function readDeploy(path: string): Promise<string> {
  return Bun.file(join(deploy, path)).text()
}

/** A YAML file, with its merge keys (`<<`) carried out, as Compose does. */
export async function readYaml(path: string): Promise<JsonObject> {
  const value: unknown = parse(await readDeploy(path), { merge: true })
  return objectOf(value)
}

/** The objects of a list. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The texts of a list. */
export function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.flatMap((one) => textOf(one) ?? []) : []
}

export interface Ran {
  readonly code: number
  readonly output: string
}

/** Runs a program to its end; both of its outputs together. */
export async function runTool(command: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = Bun.spawn([...command], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, output: out + error }
}
