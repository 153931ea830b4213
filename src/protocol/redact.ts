// Keys must not leave this process in any text: known values first, then whatever looks like a key.

const shapes: readonly RegExp[] = [
  /\b(sk|pk|rk|gsk|xai|tgp|fw|nvapi|hf|csk|ak|r8|AIza)[-_][A-Za-z0-9_-]{8,}[A-Za-z0-9_*-]*/g,
  /\bAIza[A-Za-z0-9_-]{20,}/g,
  /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/g,
]

/**
 * The text with every secret replaced by `[redacted]`. `secrets` are exact values (those under four characters
 * are not looked for: they would tear words apart).
 */
export function redact(text: string, secrets: readonly string[]): string {
  let out = text
  for (const secret of secrets) if (secret.length >= 4) out = out.replaceAll(secret, "[redacted]")
  for (const shape of shapes) out = out.replace(shape, "[redacted]")
  return out
}
