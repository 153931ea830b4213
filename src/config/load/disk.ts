// What is read of the disk, and where our own files lie.
import { existsSync, fstatSync, readFileSync, statSync } from "node:fs"
import { join, posix, win32 } from "node:path"
import { errorCode } from "../../protocol/fault.ts"
import type { Read } from "../settings/values.ts"
import { absent, isNoText, noText, printOf, printOfLack } from "../sources/prints.ts"

/** What was read of files that give their content only once, by their paths. To be kept by who loads again. */
export type Pipes = Map<string, string>

export interface Disk {
  readonly seen: Map<string, string>
  readonly pipes: Pipes
}

/** Is there anything at this path, as far as we may look? */
export function isThere(path: string, { seen }: Disk): boolean {
  try {
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return true
    seen.set(path, absent)
  } catch (error) {
    // A folder that is closed to us, or a file system that has gone: what was read there before is not gone with it.
    seen.set(path, printOfLack(lackOf(error)))
  }
  return false
}

/** The text of a file, or why it cannot be had. */
export function readText(path: string, disk: Disk): Read<string> {
  const { seen, pipes } = disk
  try {
    const once = !statSync(path).isFile()
    const value = pipes.get(path) ?? decodeText(readFileSync(path))
    if (once) pipes.set(path, value)
    seen.set(path, printOf(value))
    return isNoText(value) ? { ok: false, why: `cannot be read (${noText})` } : { ok: true, value }
  } catch (error) {
    const code = lackOf(error)
    const print = printOfLack(code)
    seen.set(path, print)
    return { ok: false, why: print === absent ? "does not exist" : `cannot be read (${code})` }
  }
}

/** UTF-8, or UTF-16 where its first bytes say so: PowerShell writes that with `>`. Without a byte order mark. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes
  const little = first === 0xff && second === 0xfe
  const big = first === 0xfe && second === 0xff
  return new TextDecoder(little ? "utf-16le" : big ? "utf-16be" : "utf-8").decode(bytes)
}

/** Why the disk has it not, in a word. */
export function lackOf(error: unknown): string {
  return errorCode(error) ?? "unknown error"
}

/**
 * The folder for our own files: $XDG_CONFIG_HOME/claude-proxy wherever that is set (and absolute, as its
 * specification demands), else the platform's own place. On macOS ~/.config is used too when it is there.
 */
export function configFolder(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
  home: string,
  exists: (path: string) => boolean = existsSync,
): string {
  const path = platform === "win32" ? win32 : posix
  const xdg = env["XDG_CONFIG_HOME"] ?? ""
  if (path.isAbsolute(xdg)) return path.join(xdg, "claude-proxy")
  const dotConfig = path.join(home, ".config", "claude-proxy")
  if (platform === "darwin") {
    const library = path.join(home, "Library", "Application Support", "claude-proxy")
    return !exists(library) && exists(dotConfig) ? dotConfig : library
  }
  if (platform !== "win32") return dotConfig
  const appData = env["APPDATA"] ?? ""
  return path.join(appData === "" ? path.join(home, "AppData", "Roaming") : appData, "claude-proxy")
}

/** The user's folder. Node is only asked where the environment does not say: what it knows of systems takes a while. */
export function homeFolder(env: Readonly<Record<string, string | undefined>>, platform: string): string {
  const home = platform === "win32" ? "" : (env["HOME"] ?? "")
  return home === "" ? process.getBuiltinModule("node:os").homedir() : home
}

/** A path as it is meant: in a file, and behind `--env=`, no shell has put the home folder in place of `~`. */
export function withHome(path: string): string {
  return /^~(?=$|[\\/])/.test(path) ? join(homeFolder({}, process.platform), path.slice(1)) : path
}

/**
 * Does this descriptor (0, 1, 2) lead to a terminal? The system is asked first: what Bun has for terminals takes
 * longer to load than many a command runs.
 */
export function isTerminal(descriptor: number): boolean {
  return mayBeTerminal(descriptor) && process.getBuiltinModule("node:tty").isatty(descriptor)
}

/** Files and pipes are none, nor is where output is thrown away. Windows does not tell. */
function mayBeTerminal(descriptor: number): boolean {
  if (process.platform === "win32") return true
  try {
    const stat = fstatSync(descriptor)
    return stat.isCharacterDevice() && stat.rdev !== statSync("/dev/null").rdev
  } catch {
    // It is closed.
    return false
  }
}
