// TLS_CERT and TLS_KEY: what https is served with. Both files are read and tried on each other before anything
// starts, so that a wrong one is told by its name, and not by the first client that cannot connect.
import type { Tls } from "../config.ts"
import { type Found, named, type Read, type Values } from "../settings/values.ts"

export interface TlsTools {
  /** The file that a setting means. */
  readonly pathOf: (found: Found) => string
  readonly read: (path: string) => Read<string>
  /** What is wrong with a certificate, or a key, in words that follow the file's name; undefined: nothing. */
  readonly certificateFlaw: (pem: string) => string | undefined
  readonly keyFlaw: (pem: string) => string | undefined
  /** Is this the private key of that certificate? Both are known to be readable. */
  readonly belong: (tls: Tls) => boolean
}

interface TlsPart {
  readonly tls: Tls | undefined
  readonly problems: readonly string[]
}

const none: TlsPart = { tls: undefined, problems: [] }

/** Reads both files; every problem names the setting, the file, and what to do. */
export function readTls(values: Values, tools: TlsTools): TlsPart {
  const found = { certificate: values.get("TLS_CERT"), key: values.get("TLS_KEY") }
  if (found.certificate === undefined && found.key === undefined) return none
  if (found.certificate === undefined || found.key === undefined) {
    const [set, missing] = found.key === undefined ? ["TLS_CERT", "TLS_KEY"] : ["TLS_KEY", "TLS_CERT"]
    return wrong(`${named(set, values)} is set and ${missing} is not: set both to serve https, or none.`)
  }
  const certificate = readFile("TLS_CERT", found.certificate, tools.certificateFlaw, values, tools)
  const key = readFile("TLS_KEY", found.key, tools.keyFlaw, values, tools)
  if (!certificate.ok || !key.ok)
    return { tls: undefined, problems: [certificate, key].flatMap((read) => (read.ok ? [] : [read.why])) }
  const tls = { certificate: certificate.value, key: key.value }
  if (tools.belong(tls)) return { tls, problems: [] }
  const files = `${tools.pathOf(found.key)} is not the private key of ${tools.pathOf(found.certificate)}`
  return wrong(
    `${named("TLS_KEY", values)}: ${files}: give the two that were made together; of several certificates in the file the server's own comes first.`,
  )
}

const wrong = (problem: string): TlsPart => ({ tls: undefined, problems: [problem] })

function readFile(
  setting: "TLS_CERT" | "TLS_KEY",
  found: Found,
  flaw: (pem: string) => string | undefined,
  values: Values,
  { pathOf, read }: TlsTools,
): Read<string> {
  const path = pathOf(found)
  const text = read(path)
  const why = text.ok ? flaw(text.value) : `${text.why}: give the path of a file in PEM form`
  return text.ok && why === undefined
    ? text
    : { ok: false, why: `${named(setting, values)}: ${path} ${why}.` }
}
