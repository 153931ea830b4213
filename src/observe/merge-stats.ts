// The statistics of several processes that answer as one.
import {
  addTallies,
  emptyTally,
  type ModelUse,
  modelName,
  mostModels,
  mostUses,
  otherModels,
  type Stats,
  type Use,
} from "./stats.ts"

/** One sum over all of them, within the same limits as each. */
export function mergeStats(all: readonly Stats[]): Stats {
  const [first, ...others] = all
  if (first !== undefined && others.length === 0) return first
  return {
    total: all.reduce((sum, { total }) => addTallies(sum, total), emptyTally),
    models: mergeModels(all.flatMap(({ models }) => [...models.values()])),
    sessions: mergeUses(all.map(({ sessions }) => sessions)),
    agents: mergeUses(all.map(({ agents }) => agents)),
    clients: mergeUses(all.map(({ clients }) => clients)),
  }
}

function mergeModels(uses: readonly ModelUse[]): Stats["models"] {
  const merged = new Map<string, ModelUse>()
  for (const use of uses) {
    const own = modelName(use)
    const known = merged.has(own) || merged.size < mostModels
    const name = known ? own : otherModels
    const place = known ? { provider: use.provider, model: use.model } : { provider: "", model: otherModels }
    const before = merged.get(name)?.tally ?? emptyTally
    merged.set(name, { ...place, tally: addTallies(before, use.tally) })
  }
  return merged
}

/** The one used last stands last; of too many the first ones are left out. */
function mergeUses(all: readonly Stats["sessions"][]): Stats["sessions"] {
  const merged = new Map<string, Use>()
  for (const [name, use] of all.flatMap((uses) => [...uses])) {
    const before = merged.get(name)
    merged.set(name, {
      tally: addTallies(before?.tally ?? emptyTally, use.tally),
      lastUsed: Math.max(before?.lastUsed ?? 0, use.lastUsed),
    })
  }
  const inOrder = [...merged].toSorted(([, one], [, other]) => one.lastUsed - other.lastUsed)
  return new Map(inOrder.slice(-mostUses))
}
