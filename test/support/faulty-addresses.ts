// Addresses at which no reply can come, because there is nobody, or somebody else, or one whom nobody trusts; and one
// that is as it should be.

import { readFileSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { join } from "node:path"
import type { Failure, Success } from "./faulty-rows.ts"
import type { FaultyUpstream } from "./faulty-upstream.ts"

export interface FaultyAddress {
  /** Scheme, host and port. */
  readonly origin: string
  readonly seen: Failure | Success
  /** The one that counts the connections. */
  readonly port?: number
  /** When the proxy tries again here, which nobody hears of: always, or as long as nobody else can be asked. */
  readonly retried?: "always" | "alone"
}

export interface FaultyAddresses {
  readonly rows: Readonly<Record<string, FaultyAddress>>
  /** PEM of the authorities that the proxy is to trust. */
  readonly trusted: string
  /** Of the listeners that speak nothing. */
  readonly open: () => number
  readonly stop: () => void
}

const pem = (what: string, lines: readonly string[]): string =>
  `-----BEGIN ${what}-----\n${lines.join("\n")}\n-----END ${what}-----\n`

// Made for these tests alone (openssl, P-256), each signed by itself with the same key; it protects nothing. The first
// and the last are for localhost, the second for other.test; the last was valid until 2021, the others are until 2126.
const key = pem("PRIVATE KEY", [
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7gd3QJID9ZoWfISiXmfc9sgi/LRURpucjJsJD3Ake8+hRANC",
  "AARHHght23RPjUukVofPChS4/u5k5ZuirrEuHquZ2Q02m3zAMWrBlM2ATLVaAUaDh/PkKfpTTlkYDqQe1ejJ01+0",
])
const unknown = pem("CERTIFICATE", [
  "MIIBZjCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjYwMTAxMDAwMDAwWhgPMjEy",
  "NjAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEceCG3bdE+NS6RW",
  "h88KFLj+7mTlm6KusS4eq5nZDTabfMAxasGUzYBMtVoBRoOH8+Qp+lNOWRgOpB7V6MnTX7SjTjBMMA8GA1UdEwEB/wQFMAMB",
  "Af8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMB0GA1UdDgQWBBS6V8fBQT4jlxZMfpl0bqyNaBEQWTAKBggqhkjOPQQD",
  "AgNHADBEAiATtTExvkzEB7Rq6tFZ/1NG6BN8ek3yYTUpJrhk5JVMdAIgQ1SL6ufThCmEbZzk2d97H4ZBWVSjJtOwX7QM0Ri/",
  "cco=",
])
const other = pem("CERTIFICATE", [
  "MIIBYzCCAQqgAwIBAgIBATAKBggqhkjOPQQDAjAVMRMwEQYDVQQDDApvdGhlci50ZXN0MCAXDTI2MDEwMTAwMDAwMFoYDzIx",
  "MjYwMTAxMDAwMDAwWjAVMRMwEQYDVQQDDApvdGhlci50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERx4Ibdt0T41L",
  "pFaHzwoUuP7uZOWboq6xLh6rmdkNNpt8wDFqwZTNgEy1WgFGg4fz5Cn6U05ZGA6kHtXoydNftKNJMEcwDwYDVR0TAQH/BAUw",
  "AwEB/zAVBgNVHREEDjAMggpvdGhlci50ZXN0MB0GA1UdDgQWBBS6V8fBQT4jlxZMfpl0bqyNaBEQWTAKBggqhkjOPQQDAgNH",
  "ADBEAiARLLpN7TIFJB18JvdlQr2p8ZRoA1WymDqTtS5VwIA+QAIgEpxlRikOCnfv47PJdeb9msTTwGXUhhTfILyPgw9h+p8=",
])
const expired = pem("CERTIFICATE", [
  "MIIBZTCCAQugAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwHhcNMjAwMTAxMDAwMDAwWhcNMjEw",
  "MTAxMDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARHHght23RPjUukVofP",
  "ChS4/u5k5ZuirrEuHquZ2Q02m3zAMWrBlM2ATLVaAUaDh/PkKfpTTlkYDqQe1ejJ01+0o04wTDAPBgNVHRMBAf8EBTADAQH/",
  "MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQUulfHwUE+I5cWTH6ZdG6sjWgREFkwCgYIKoZIzj0EAwID",
  "SAAwRQIgeLQCo1C8ckUo7yHRZGa60Y+aRIycrflhS6CThMVpTgECIQCMrljcYhHY6yoKGlkmsddqXDWjM2TFt5+RIEgYLIW0",
  "IA==",
])

const fixture = (name: string): string => readFileSync(join(import.meta.dir, "../fixtures/tls", name), "utf8")

const gone = { status: 502, type: "api_error" } as const
const untrusted = { ...gone, final: true } as const

/** Opens them; those that speak HTTP are served by `upstream`. */
export async function openFaultyAddresses(upstream: FaultyUpstream): Promise<FaultyAddresses> {
  const blunt = await listener((socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"))
  })
  const closing = await listener((socket) => socket.once("data", () => socket.end()))
  const mute = await listener(() => {})
  const nobody = await listener(() => {})
  nobody.stop()
  const tls = {
    fine: await upstream.listen({ cert: fixture("server.pem"), key: fixture("server.key") }),
    unknown: await upstream.listen({ cert: unknown, key }),
    other: await upstream.listen({ cert: other, key }),
    expired: await upstream.listen({ cert: expired, key }),
  }
  const noTls = { ...untrusted, words: /no TLS at https:.*http:\/\// } as const
  const rows: Readonly<Record<string, FaultyAddress>> = {
    "connection refused": {
      origin: `http://127.0.0.1:${nobody.port}`,
      seen: { ...gone, words: /connection refused; is it running\?/ },
      retried: "alone",
    },
    "a host that nobody knows": {
      origin: "http://no-such-host.invalid",
      seen: { ...gone, words: /the host was not found; check the base URL/ },
      retried: "alone",
    },
    "a certificate that nobody trusts": {
      origin: `https://localhost:${tls.unknown}`,
      seen: { ...untrusted, words: /NODE_EXTRA_CA_CERTS/ },
      port: tls.unknown,
    },
    "a certificate for another host": {
      origin: `https://localhost:${tls.other}`,
      seen: { ...untrusted, words: /another host.*check the base URL/ },
      port: tls.other,
    },
    "a certificate that is over": {
      origin: `https://localhost:${tls.expired}`,
      seen: { ...untrusted, words: /not valid today/ },
      port: tls.expired,
    },
    "HTTP where TLS is expected": { origin: `https://127.0.0.1:${blunt.port}`, seen: noTls },
    "nothing but an end where TLS is expected": {
      origin: `https://127.0.0.1:${closing.port}`,
      seen: { ...gone, words: /https:\/\/127/ },
      retried: "always",
    },
    "silence where TLS is expected": {
      origin: `https://127.0.0.1:${mute.port}`,
      seen: { status: 504, type: "timeout_error", words: /within \d+ s \(REQUEST_TIMEOUT\)/, silent: true },
    },
    "TLS where HTTP is expected": {
      origin: `http://localhost:${tls.fine}`,
      seen: { ...gone, words: /http:\/\/localhost/ },
      retried: "always",
    },
    "a certificate that is trusted": { origin: `https://localhost:${tls.fine}`, seen: { attempts: 1 } },
  }
  return {
    rows,
    trusted: fixture("authority.pem") + other + expired,
    open: () => blunt.open() + closing.open() + mute.open(),
    stop: () => {
      for (const one of [blunt, closing, mute]) one.stop()
    },
  }
}

interface Listener {
  readonly port: number
  readonly open: () => number
  readonly stop: () => void
}

function listener(serve: (socket: Socket) => void): Promise<Listener> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => socket.destroy())
    socket.on("close", () => sockets.delete(socket))
    // Without somebody who reads, it is not heard that the other side has gone.
    socket.resume()
    serve(socket)
  })
  const stop = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resolve({ port, open: () => sockets.size, stop })
    })
  })
}
