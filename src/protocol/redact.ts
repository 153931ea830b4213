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

// What every one of them has in it: most texts hold nothing of the kind, and one look shows it.
const suspicious =
  /sk-|[-_][A-Za-z0-9_-]{20}|gh[opsur]_|tid=|AIza|eyJ|bearer|basic|api[-_ ]?key|authorization|access[-_ ]?token|[?&](?:api[-_]?key|key|token|access_token|sig)=/i

// Shorter ones would tear words apart.
const shortestSecret = 4

/** The secrets as redact() goes through them: the longest first, since one may be a part of another. */
export function longestFirst(secrets: readonly string[]): readonly string[] {
  const sought = secrets.filter((secret) => secret.length >= shortestSecret)
  return sought.sort((one, other) => other.length - one.length)
}

/**
 * The text with every secret replaced by `[redacted]`. `secrets` are exact values, best in the order of
 * longestFirst(), as a Config has them: those in another order are sorted at every call.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let out = text
  for (const secret of isSorted(secrets) ? secrets : longestFirst(secrets)) {
    if (secret.length >= shortestSecret && secret.length <= out.length)
      out = out.replaceAll(secret, "[redacted]")
  }
  if (suspicious.test(out)) for (const [shape, instead] of shapes) out = out.replace(shape, instead)
  return out
}

/** As redact(), for JSON that goes on as it is: a secret may be written there with escape sequences (`\/`). */
export function redactJson(json: string, secrets: readonly string[]): string {
  const plain = plainJson(json)
  const clean = redact(plain, secrets)
  return clean === plain ? json : clean
}

// What follows an escaped backslash begins no escape sequence.
const escapes = /\\(?:\\|\/|u00[2-7][\da-f])/gi

/** The same JSON without the escape sequences that visible ASCII needs none of. */
export function plainJson(json: string): string {
  return json.includes("\\") ? json.replace(escapes, unescaped) : json
}

function unescaped(written: string): string {
  if (written.length <= 2) return written === "\\/" ? "/" : written
  const character = String.fromCharCode(Number.parseInt(written.slice(2), 16))
  return /[!#-[\]-~]/.test(character) ? character : written
}

// A shorter beginning of a key is hardly more than what all keys of its provider begin with.
const shortestStart = 8

/** As redact(), for a text that may break off anywhere: what it ends with may be the beginning of a secret. */
export function redactCut(text: string, secrets: readonly string[]): string {
  const out = redact(text, secrets)
  const longest = Math.max(0, ...secrets.map((secret) => startAtEnd(out, secret)))
  return longest === 0 ? out : `${out.slice(0, out.length - longest)}[redacted]`
}

/** How much of the secret's beginning the text ends with. */
function startAtEnd(text: string, secret: string): number {
  for (let length = secret.length - 1; length >= shortestStart; length--)
    if (text.endsWith(secret.slice(0, length))) return length
  return 0
}

function isSorted(secrets: readonly string[]): boolean {
  let before = Number.POSITIVE_INFINITY
  for (const { length } of secrets) {
    if (length > before) return false
    before = length
  }
  return true
}
