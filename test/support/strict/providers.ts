// The strict validators by provider: what each one's server would say to a request body.
import type { JsonObject } from "../../../src/protocol/json.ts"
import { checkRequest } from "./check.ts"
import { cloudRows } from "./rows-clouds.ts"
import { hostRows } from "./rows-hosts.ts"
import { localRows } from "./rows-local.ts"
import { makerRows } from "./rows-makers.ts"
import { openaiRows } from "./rows-openai.ts"
import { relayRows } from "./rows-relays.ts"
import { thinkerRows } from "./rows-thinkers.ts"
import { resolveRules, type StrictRow } from "./rules.ts"

export interface StrictProvider {
  readonly id: string
  /** Models whose rules differ, so that each is worth a test. */
  readonly models: readonly string[]
  /** Every reason for which the provider would refuse this body, with its place; empty: accepted. */
  readonly check: (body: JsonObject, model: string) => readonly string[]
}

function createStrict(row: StrictRow): StrictProvider {
  return {
    id: row.id,
    models: row.models,
    check: (body, model) => checkRequest(body, resolveRules(row, model)),
  }
}

export const strictProviders: readonly StrictProvider[] = [
  ...openaiRows,
  ...thinkerRows,
  ...cloudRows,
  ...relayRows,
  ...hostRows,
  ...makerRows,
  ...localRows,
].map(createStrict)

/** The validator of one provider; throws for an id that has none. */
export function strictProvider(id: string): StrictProvider {
  const found = strictProviders.find((provider) => provider.id === id)
  if (found === undefined) throw new Error(`no strict validator for ${id}`)
  return found
}
