// The address of a proxy, as a user gives it, and how it is asked there.

/** Can a proxy be asked there? */
export function isProxyAddress(text: string): boolean {
  return /^https?:\/\/[^\s/]/i.test(text)
}

/** The address that paths stand behind: clients may have it with `/v1`. */
export function rootOf(address: string): string {
  return address.replace(/\/+$/, "").replace(/\/v1$/, "")
}

/** The same to be shown: a password may stand in it, for what is before the proxy. */
export function shownAddress(address: string): string {
  return address.replace(/\/\/[^/]*@/, "//")
}

/** Is it an address of this machine alone? */
export function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? ""
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host)
}

/** Options of fetch for a proxy: what is sent goes nowhere but where it was meant to go. `here`: on this machine. */
export function askingOptions(here: boolean) {
  // Its certificate is for its names and not for loopback, and no HTTP proxy stands before this machine.
  const local = here ? ({ proxy: false, tls: { rejectUnauthorized: false } } as const) : {}
  return { redirect: "manual", ...local } as const
}
