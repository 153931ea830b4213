// Which fallback a conversation stays on. What a provider caches and signs of a conversation is of no use at another
// one: who had to move stays there for a while, also when the first model is well again.
import { putLast } from "../common/put-last.ts"

export interface Stays {
  /** The fallback that the conversation is on, by its id; undefined: on none, or it has been long enough. */
  readonly at: (conversation: string) => string | undefined
  /** It was answered by this fallback, or by the model that was asked for (undefined). */
  readonly answered: (conversation: string, fallback: string | undefined) => void
}

const stayMs = 10 * 60_000
// An entry takes about 200 bytes.
const mostStays = 10_000

/** Everybody is at home yet. `now` gives milliseconds, of any beginning. */
export function createStays(now: () => number): Stays {
  const stays = new Map<string, { readonly fallback: string; readonly until: number }>()

  function at(conversation: string): string | undefined {
    const stay = stays.get(conversation)
    if (stay === undefined || stay.until > now()) return stay?.fallback
    stays.delete(conversation)
    return undefined
  }

  return {
    at,
    answered: (conversation, fallback) => {
      // The time runs from the move: it is not for each request to make it longer.
      if (fallback === undefined) stays.delete(conversation)
      else if (at(conversation) !== fallback)
        putLast(stays, conversation, { fallback, until: now() + stayMs }, mostStays)
    },
  }
}
