// What an instance may be called.

/**
 * What is wrong with the name of an instance; undefined when it is fine. Names become names of files, so what
 * one system cannot store is refused on all of them.
 */
export function nameProblem(name: string): string | undefined {
  if (!/^\w[\w.-]{0,63}$/.test(name) || name.endsWith("."))
    return "must be up to 64 letters, digits, dots, underscores or dashes, beginning with a letter or a digit"
  if (/^(con|prn|aux|nul|(com|lpt)\d)(\.|$)/i.test(name)) return "means a device on Windows: choose another"
  return undefined
}

/** The name of a proxy in the background that was given none. */
export const defaultName = "default"

/** Two names with the same key are the same name: some file systems do not tell them apart either. */
export function keyOf(name: string): string {
  return name.toLowerCase()
}
