// Loads a configuration from given texts; files are real ones, in folders of their own.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Config } from "../../src/config/config.ts"
import { loadConfig } from "../../src/config/load/load.ts"
import type { LoadSources } from "../../src/config/sources/load-sources.ts"
import type { LoadResult } from "../../src/config/sources/loaded.ts"

const nowhere = join(tmpdir(), "claude-proxy-no-such-folder")
const made: string[] = []

/** A new folder with the given files in it. A test file that uses it ends with `afterAll(removeFolders)`. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "claude-proxy-config-"))
  made.push(path)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

export function removeFolders(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
}

/** Loads with no source but the given ones. */
export function load(given: Partial<LoadSources>): LoadResult {
  const configDir = given.configDir ?? nowhere
  return loadConfig({ flags: {}, env: {}, terminal: false, needsUpstream: true, ...given, configDir })
}

/** The configuration, or a failed test that shows the problems. */
export function configOf(result: LoadResult): Config {
  if (!result.ok) throw new Error(result.problems.join("\n"))
  return result.config
}

export function problemsOf(result: LoadResult): readonly string[] {
  return result.ok ? [] : result.problems
}

export function warningsOf(result: LoadResult): readonly string[] {
  return result.ok ? result.warnings : ["not loaded"]
}

/** The configuration of an environment alone. */
export function configFrom(env: Readonly<Record<string, string>>, more: Partial<LoadSources> = {}): Config {
  return configOf(load({ env, ...more }))
}
