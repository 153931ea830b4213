// Under which host a server is reached that listens on an address.

/** A client cannot connect to "all interfaces": it is told the loopback address instead. */
export function clientHost(host: string): string {
  if (host === "0.0.0.0" || host === "") return "127.0.0.1"
  if (host === "::") return "[::1]"
  return host.includes(":") ? `[${host}]` : host
}
