// Writing a file that only its owner may read, whole or not at all, and never over one that was there.
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { dirname } from "node:path"
import { errorCode } from "../../protocol/fault.ts"

type Written =
  | {
      readonly kind: "written"
      /** Where the file that was there before is kept. */
      readonly backup: string | undefined
    }
  | { readonly kind: "exists" }
  | { readonly kind: "failed"; readonly why: string }

/**
 * Writes the file with mode 0600, and folders that are missing with 0700. With `replace` a file that is there
 * is first copied to a free name beside it; without, it stays as it is and the answer is `exists`.
 */
export function writePrivate(path: string, text: string, replace: boolean): Written {
  try {
    if (!replace && isThere(path)) return { kind: "exists" }
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // Somebody who keeps such files elsewhere and links to them gets the new one there.
    const target = existsSync(path) ? realpathSync(path) : path
    return throughTemporary(target, text, (temporary) => {
      if (!replace)
        return claim(temporary, path) ? { kind: "written", backup: undefined } : { kind: "exists" }
      const backup = existsSync(path) ? keep(path) : undefined
      renameSync(temporary, target)
      return { kind: "written", backup }
    })
  } catch (error) {
    return { kind: "failed", why: errorCode(error) ?? String(error) }
  }
}

/** Writes the whole text beside its place, so that nobody ever sees half of it there. */
function throughTemporary(target: string, text: string, place: (temporary: string) => Written): Written {
  const temporary = `${target}.${crypto.randomUUID()}.tmp`
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: "wx", flush: true })
    return place(temporary)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Also a link that leads nowhere is something that was there. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Gives the file its name unless somebody has it by now: a link is made only where there is nothing. */
function claim(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path)
    return true
  } catch {
    // Somebody was faster, or this file system has no links.
    if (isThere(path)) return false
    renameSync(temporary, path)
    return true
  }
}

/** Copies to the first free name: an older copy may be the one with the keys in it. */
function keep(path: string): string {
  for (let count = 1; ; count += 1) {
    const backup = `${path}.bak${count === 1 ? "" : `.${count}`}`
    if (isThere(backup)) continue
    copyFileSync(path, backup, constants.COPYFILE_EXCL)
    chmodSync(backup, 0o600)
    return backup
  }
}
