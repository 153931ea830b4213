// REDIS_URL, as far as its text shows whether it can be used.

/** What is wrong with the address, to follow on the setting's name; undefined: nothing. Never shows its password. */
export function redisUrlProblem(address: string): string | undefined {
  if (/^redis\+tls:/i.test(address)) return "must begin with rediss:// for a connection over TLS"
  if (!/^rediss?:\/\//.test(address)) return `must begin with redis:// or rediss:// (TLS), as in ${example}`
  if (/[?#]/.test(address)) {
    return `holds a ? or a #: write them in a password as %3F and %23, and the number of the database as ${example}`
  }
  const url = parse(address)
  if (url === undefined || url.hostname === "") {
    return `is not an address like ${example}; in a password write / as %2F and @ as %40`
  }
  if (!/^\/?\d{0,9}$/.test(url.pathname)) {
    return `ends in what is not the number of a database, as the 0 in ${example} is; in a password write / as %2F`
  }
  return undefined
}

const example = "redis://:PASSWORD@HOST:6379/0"

function parse(address: string): URL | undefined {
  try {
    return new URL(address)
  } catch {
    return undefined
  }
}
