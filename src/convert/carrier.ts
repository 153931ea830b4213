// What we put into `signature`: an opaque string that Claude Code keeps and returns byte for byte. The prefix
// tells our own blocks from Anthropic's, which no other provider may be sent and the reverse.

const prefix = "ccp1."

export interface Carrier {
  readonly provider: string
  readonly model: string
  /** The reply field the reasoning came in. */
  readonly field: string
}

/** A signature of our own; never empty, ASCII only. */
export function encodeCarrier(carrier: Carrier): string {
  const json = JSON.stringify({ p: carrier.provider, m: carrier.model, k: "rc", f: carrier.field })
  const bytes = new TextEncoder().encode(json)
  return prefix + bytes.toBase64({ alphabet: "base64url", omitPadding: true })
}

/** Did this proxy (or another of its kind) write the signature? */
export function isOurs(signature: string): boolean {
  return signature.startsWith(prefix)
}
