// The address of a proxy, as a user gives it, and how it is asked there.
import { isLoopback } from "../../protocol/hosts.ts"

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
export function leadsHere(url: string): boolean {
  return isLoopback(URL.parse(url)?.hostname ?? "")
}

/** Options of fetch for a proxy: what is sent goes nowhere but where it was meant to go. `here`: on this machine. */
export function askingOptions(here: boolean) {
  // Its certificate is for its names and not for loopback, and no HTTP proxy stands before this machine.
  const local = here ? ({ proxy: false, tls: { rejectUnauthorized: false } } as const) : {}
  return { redirect: "manual", ...local } as const
}
