// Where the statistics are kept.
import { join } from "node:path"

/** The file in the state folder. */
export function statsFile(folder: string): string {
  return join(folder, "stats.db")
}
