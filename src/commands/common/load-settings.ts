// The settings of a command that needs an upstream: where none of them leads anywhere, a server on this
// machine may do.
import { loadHere, type Needs } from "../../config/load/load.ts"
import type { LoadResult } from "../../config/sources/loaded.ts"
import { findOllama } from "../../upstream/ollama.ts"

// Loopback answers in a few milliseconds or not at all; a machine under load gets some more.
const lookMs = 500

/** `loadHere`; when nothing is set, once more with the Ollama that answers on loopback, if one does. */
export async function loadSettings(given: Needs): Promise<LoadResult> {
  // A pipe has nothing left for the second reading.
  const needs: Needs = { ...given, pipes: given.pipes ?? new Map() }
  const loaded = loadHere(needs)
  if (loaded.ok || !loaded.lacksUpstream) return loaded
  const localServer = await findOllama(loaded.ollamaHost, lookMs)
  return localServer === undefined ? loaded : loadHere({ ...needs, localServer })
}
