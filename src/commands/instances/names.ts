// Names of instances.

/** The name of a proxy in the background that was given none. */
export const defaultName = "default"

/** Two names with the same key are the same name: some file systems do not tell them apart either. */
export function keyOf(name: string): string {
  return name.toLowerCase()
}
