// Who may use this proxy: anybody when no client keys are set, else whoever sends one of them.
import { type Fault, fault } from "../../protocol/fault.ts"

/** The keys of a request, by the header they came in; current SDKs send only Authorization. */
export function sentKeys(headers: Headers): readonly { readonly header: string; readonly key: string }[] {
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.get("authorization")?.trim() ?? "")?.[1]
  const plain = headers.get("x-api-key")?.trim()
  return [
    ...(bearer === undefined ? [] : [{ header: "authorization", key: bearer.trim() }]),
    ...(plain === undefined || plain === "" ? [] : [{ header: "x-api-key", key: plain }]),
  ]
}

/** A check that takes the same time for a wrong key as for a right one. Made once per start. */
export function createGate(clientKeys: readonly string[]): (headers: Headers) => Fault | undefined {
  const hashes = clientKeys.map(hash)
  return (headers) => {
    if (hashes.length === 0) return undefined
    const sent = sentKeys(headers)
    let allowed = false
    for (const { key } of sent) {
      const given = hash(key)
      for (const known of hashes) allowed = crypto.timingSafeEqual(given, known) || allowed
    }
    if (allowed) return undefined
    // For a message that names x-api-key Claude Code says "Not logged in · Please run /login", and nothing of it.
    const [first] = sent
    const message =
      first === undefined
        ? "no API key: send one as Authorization: Bearer (ANTHROPIC_AUTH_TOKEN in Claude Code)"
        : `invalid ${first.header === "x-api-key" ? "API key" : first.header}: the key is not one of this proxy's client keys (ALLOWED_API_KEYS or ANTHROPIC_API_KEY where it runs)`
    return fault({ kind: "authentication_error", source: "client", message, finalForClient: true })
  }
}

/** Hashes have one length, which timingSafeEqual needs, and say nothing about the key's own. */
export function hash(key: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(key).digest()
}
