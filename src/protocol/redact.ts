// Keys must not leave this process in any text: known values first, then whatever looks like a key.

// Every look-ahead has a limit: texts come from clients and upstreams, and must not cost more than they are long.
const shapes: readonly (readonly [RegExp, string])[] = [
  // OpenAI's form, which many took over; a provider's own masking (`sk-ab****yz`) is hidden with the rest.
  [/\bsk-[A-Za-z0-9_*-]{8,}/g, "[redacted]"],
  [/\b(?:pk|rk|gsk|xai|tgp|fw|nvapi|hf|csk|ak|r8)[-_][A-Za-z0-9_-]{20,}/g, "[redacted]"],
  // GitHub's tokens, and the short-lived one that Copilot makes of them.
  [/\bgh[opsur]_[A-Za-z0-9]{20,}/g, "[redacted]"],
  [/\btid=[A-Za-z0-9]{8,};exp=\d+;[^\s"']{0,2000}/g, "[redacted]"],
  [/\bAIza[A-Za-z0-9_-]{20,}/g, "[redacted]"],
  [/\beyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]*/g, "[redacted]"],
  // "Basic authentication" is no key: one has a digit.
  [/\b(Bearer|Basic)\s+(?=\S{0,200}\d)[A-Za-z0-9._~+/=*-]{8,}/gi, "$1 [redacted]"],
  [
    /\b(api[-_ ]?key(?: provided)?|authorization|access[-_ ]?token)(["']?\s*[:=]\s*["']?)(?=\S{0,200}\d)[\w.~+/*-]{12,}/gi,
    "$1$2[redacted]",
  ],
  [/([?&](?:api[-_]?key|key|token|access_token|sig)=)[^&\s"'<>\\]+/gi, "$1[redacted]"],
]

/**
 * The text with every secret replaced by `[redacted]`. `secrets` are exact values (those under four characters
 * are not looked for: they would tear words apart).
 */
export function redact(text: string, secrets: readonly string[]): string {
  let out = text
  // The longest first: one secret may be the beginning of another.
  for (const secret of secrets.toSorted((a, b) => b.length - a.length)) {
    if (secret.length >= 4) out = out.replaceAll(secret, "[redacted]")
  }
  for (const [shape, instead] of shapes) out = out.replace(shape, instead)
  return out
}
