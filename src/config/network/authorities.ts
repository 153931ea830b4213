// NODE_EXTRA_CA_CERTS: further certificate authorities. In the process environment Bun reads it by itself, once,
// at the start of the process; where a file says it, the certificates have to be given to every connection.
import { type Found, named, type Read, type Values } from "../settings/values.ts"

const setting = "NODE_EXTRA_CA_CERTS"

export interface CertificateTools {
  /** The file that a setting means. */
  readonly pathOf: (found: Found) => string
  readonly read: (path: string) => Read<string>
  /** False, or thrown, for what is no certificate. */
  readonly isCertificate: (pem: string) => boolean
  /** Is it one by its form? For a hundred of them the difference is a tenth of the time that a start may take. */
  readonly isWhole: (pem: string) => boolean
  /** What is trusted anyway. */
  readonly trusted: () => readonly string[]
}

interface Authorities {
  /** Everything to be trusted, as one PEM text; undefined: what Bun trusts. */
  readonly authorities: string | undefined
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

const nothing: Authorities = { authorities: undefined, problems: [], warnings: [] }

/**
 * The authorities of the file that NODE_EXTRA_CA_CERTS names, beside those that are trusted anyway. A file that is
 * missing or holds no certificate is a problem; in the environment, where the variable is meant for every
 * program of the system, only a warning.
 */
export function readAuthorities(values: Values, tools: CertificateTools): Authorities {
  const found = values.get(setting)
  if (found === undefined) return nothing
  const path = tools.pathOf(found)
  const text = tools.read(path)
  const certificates = text.ok ? certificatesIn(text.value) : []
  const mine = found.origin !== "environment"
  const why = text.ok ? complaint(certificates, mine ? tools.isCertificate : tools.isWhole) : text.why
  if (why === undefined)
    return mine ? { ...nothing, authorities: joined([...tools.trusted(), ...certificates]) } : nothing
  const what = `${named(setting, values)}: ${path} ${why}`
  if (!mine) return { ...nothing, warnings: [`${what}: it is not used.`] }
  return { ...nothing, problems: [`${what}: give the path of a file with certificates in PEM form.`] }
}

const begin = "-----BEGIN CERTIFICATE-----"
const end = "-----END CERTIFICATE-----"

function certificatesIn(text: string): readonly string[] {
  const pieces = text.split(begin).slice(1)
  return pieces.map((piece) => `${begin}${piece.split(end)[0]}${end}\n`)
}

/** One that cannot be read would make every connection fail. */
function complaint(certificates: readonly string[], isRight: (pem: string) => boolean): string | undefined {
  if (certificates.length === 0) return `holds no certificate (no line ${begin})`
  const bad = certificates.findIndex((pem) => !isGood(pem, isRight))
  return bad < 0 ? undefined : `holds a certificate that cannot be read (number ${bad + 1})`
}

function isGood(pem: string, isRight: (pem: string) => boolean): boolean {
  try {
    return isRight(pem)
  } catch {
    return false
  }
}

/** Each once: many are both Bun's and the system's, and a connection is made with all of them. */
function joined(certificates: readonly string[]): string {
  return [...new Set(certificates.map((pem) => pem.trim()))].join("\n")
}
