// A provider of the table as a place requests can go to.
import type { ProviderRow } from "../providers/table.ts"
import type { Upstream } from "./config.ts"
import type { Given } from "./given.ts"
import { isNative } from "./upstreams.ts"
import { listOf, type Values } from "./values.ts"

/** The variable of a provider that holds its key, if one does. */
export function keyOf(row: ProviderRow, values: Values): string | undefined {
  return row.keyNames.find((name) => values.has(name) && !forClientsOnly(name, values))
}

function forClientsOnly(name: string, values: Values): boolean {
  return name === "ANTHROPIC_API_KEY" && values.get("ANTHROPIC_KEY_ROLE")?.value.toLowerCase() === "client"
}

/** The provider at this address, with the keys of this variable. */
export function upstreamOfRow(
  given: Pick<Given, "values" | "headers">,
  row: ProviderRow,
  baseUrl: string,
  keyName: string | undefined,
): Upstream {
  return {
    row,
    native: isNative(row, baseUrl),
    baseUrl,
    apiKeys: keyName === undefined ? [] : listOf(given.values.get(keyName)),
    keyName: keyName ?? row.keyNames[0] ?? "",
    query: {},
    headers: given.headers,
    delta: {},
    defaults: {},
  }
}
