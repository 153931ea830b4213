// Names of this machine.

/** Is this host, as a socket or a URL has it, one that other machines cannot reach? */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|\[?::1\]?|127(?:\.\d+){3})$/.test(host)
}
