// Request headers the user adds: CUSTOM_HEADER_X_API_KEY=v sends "X-Api-Key: v" upstream.
import { headerPrefix } from "../settings/settings.ts"
import { named, type Values } from "../settings/values.ts"

interface CustomHeaders {
  readonly headers: Readonly<Record<string, string>>
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

// Headers of the connection (RFC 9110 §7.6.1 and its predecessors), and those that say how the body is to be
// read: they are the proxy's to set, or streaming breaks.
export const refusedHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
  "content-type",
  "accept",
  "accept-encoding",
])

/** The header a `CUSTOM_HEADER_*` variable stands for. */
export function headerName(variable: string): string {
  const words = variable.slice(headerPrefix.length).split("_")
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()).join("-")
}

/** Headers laid over each other; a later one wins, in whatever case its name is written. */
export function mergeHeaders(
  ...layers: readonly Readonly<Record<string, string>>[]
): Readonly<Record<string, string>> {
  const named = layers.flatMap((layer) => Object.entries(layer))
  return Object.fromEntries(new Map(named.map((pair) => [pair[0].toLowerCase(), pair])).values())
}

/** All added headers. Those that belong to the proxy are left out with a warning. */
export function customHeaders(values: Values): CustomHeaders {
  const headers: Record<string, string> = {}
  const problems: string[] = []
  const warnings: string[] = []
  for (const [variable, found] of values) {
    if (!variable.startsWith(headerPrefix)) continue
    const name = headerName(variable)
    if (refusedHeaders.has(name.toLowerCase())) {
      warnings.push(
        `${named(variable, values)} is not sent: ${name} is set by the proxy itself. Take it out.`,
      )
    } else if (!/^[A-Za-z0-9.-]+$/.test(name)) {
      problems.push(`${named(variable, values)} names no header: write ${headerPrefix}X_NAME=value.`)
    } else if (!/^[\t -~\u0080-\u00ff]*$/.test(found.value)) {
      problems.push(`${named(variable, values)} holds a line break or a character that no header can carry.`)
    } else {
      headers[name] = found.value
    }
  }
  return { headers, problems, warnings }
}
