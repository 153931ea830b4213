// Which version this is, and whether it is the compiled binary.
import packageJson from "../../package.json" with { type: "json" }

// Set by the build (`--define`); from source nobody defines it.
declare const BUILD_VERSION: string | undefined

/** True in the compiled binary, whose arguments begin after two made-up ones. */
export const compiled: boolean = typeof BUILD_VERSION === "string"

export const version: string = typeof BUILD_VERSION === "string" ? BUILD_VERSION : packageJson.version
