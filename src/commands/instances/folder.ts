// Where what is known of running proxies is kept.
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs"
import { join, posix, win32 } from "node:path"
import { homeFolder } from "../../config/load/disk.ts"
import { errorCode } from "../../protocol/fault.ts"
import type { Environment } from "../terminal/io.ts"

/**
 * The platform's folder for state: $XDG_STATE_HOME/claude-proxy where that is set and absolute, as its
 * specification demands; else the platform's own place.
 */
export function stateFolder(
  env: Environment,
  platform: string = process.platform,
  home: string = homeFolder(env, platform),
): string {
  const path = platform === "win32" ? win32 : posix
  const xdg = env["XDG_STATE_HOME"] ?? ""
  if (path.isAbsolute(xdg)) return path.join(xdg, "claude-proxy")
  if (platform === "darwin") return path.join(home, "Library", "Application Support", "claude-proxy", "state")
  if (platform !== "win32") return path.join(home, ".local", "state", "claude-proxy")
  const local = env["LOCALAPPDATA"] ?? ""
  return path.join(local === "" ? path.join(home, "AppData", "Local") : local, "claude-proxy")
}

/** Why it cannot be seen which proxies were started; undefined where it can, and where none ever was. */
export function blindTo(folder: string): string | undefined {
  try {
    readdirSync(join(folder, "instances"))
    return undefined
  } catch (error) {
    const code = errorCode(error) ?? "?"
    if (code === "ENOENT") return undefined
    return `cannot look into ${folder} (${code}): make it readable, or set XDG_STATE_HOME to another folder.`
  }
}

/**
 * Makes a folder that is its owner's alone. One that somebody else has made for us, as a volume of a container is for
 * its group, stays as it is; but what everybody may write to is not trusted.
 */
export function ownFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  try {
    chmodSync(path, 0o700)
  } catch (error) {
    const another = errorCode(error) === "EPERM"
    if (!another || (statSync(path).mode & 0o002) !== 0) throw error
  }
}
