// Certificates and keys as texts, tried by the library that is to use them.
import { errorCode } from "../../protocol/fault.ts"
import type { TlsTools } from "./tls.ts"

/** Loaded where a certificate is given: every start would wait for it. */
const tools = () => process.getBuiltinModule("node:crypto")

/** Can this be read as a certificate? */
export function isCertificate(pem: string): boolean {
  return new (tools().X509Certificate)(pem).raw.length > 0
}

/**
 * Has it the form of a certificate: a sequence (X.690 §8.9) that is as long as it says? What was cut off, or torn, has
 * not; nothing has to be loaded to see that.
 */
export function isWhole(pem: string): boolean {
  const bytes = Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ""), "base64")
  const [tag = 0, first = 0] = bytes
  const more = first < 0x80 ? 0 : first - 0x80
  if (tag !== 0x30 || more > 4 || bytes.length < 2 + more) return false
  const length = more === 0 ? first : bytes.readUIntBE(2, more)
  return bytes.length === 2 + more + length
}

/** The judgements of TlsTools; none of the texts holds anything of a key. */
export const pemJudge: Pick<TlsTools, "certificateFlaw" | "keyFlaw" | "belong"> = {
  certificateFlaw: (pem) => {
    if (!pem.includes("-----BEGIN CERTIFICATE-----"))
      return "holds no certificate (no line -----BEGIN CERTIFICATE-----): give one in PEM form"
    try {
      return isCertificate(pem) ? undefined : "holds no certificate that can be read"
    } catch {
      return "holds a certificate that cannot be read: copy it again"
    }
  },
  keyFlaw: (pem) => {
    if (!/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(pem))
      return "holds no private key (no line -----BEGIN PRIVATE KEY-----): give one in PEM form"
    try {
      tools().createPrivateKey(pem)
      return undefined
    } catch (error) {
      const code = errorCode(error) ?? ""
      return code === "ERR_MISSING_PASSPHRASE"
        ? "is protected by a password: save it without one (openssl pkey -in FILE -out NEW), readable by its owner alone"
        : "holds a private key that cannot be read: copy it again"
    }
  },
  belong: ({ certificate, key }) =>
    new (tools().X509Certificate)(certificate).checkPrivateKey(tools().createPrivateKey(key)),
}
