// Which version this is, and whether it is the compiled binary.
import packageJson from "../../../package.json" with { type: "json" }

// Set by our own build (`--define`); from source nobody defines it.
declare const BUILD_VERSION: string | undefined

/** Does this entry file lie inside a compiled binary? Bun's name for that place, on POSIX and on Windows. */
export function isInBinary(main: string): boolean {
  return /^(\/\$bunfs\/|B:[/\\]~BUN)/.test(main)
}

/** True in the compiled binary, whoever built it: its arguments begin after two made-up ones. */
export const compiled: boolean = isInBinary(Bun.main)

export const version: string = typeof BUILD_VERSION === "string" ? BUILD_VERSION : packageJson.version
