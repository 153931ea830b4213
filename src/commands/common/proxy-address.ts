// The address of a proxy, as a user gives it.

/** Can a proxy be asked there? */
export function isProxyAddress(text: string): boolean {
  return /^https?:\/\/[^\s/]/i.test(text)
}
