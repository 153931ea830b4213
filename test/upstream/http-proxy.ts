// An HTTP proxy on loopback that remembers what it was asked, and a TLS server in front of a scripted upstream.
import { readFileSync } from "node:fs"
import { connect, createServer, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { createServer as createTlsServer } from "node:tls"
import { cleanUp } from "../server/support.ts"

const fixtures = join(import.meta.dir, "../fixtures/tls")

/** Signed the certificate of `tlsFront`; nobody trusts it. */
export const authorityPath = join(fixtures, "authority.pem")
export const authority = readFileSync(authorityPath, "utf8")

const serverTls = {
  cert: readFileSync(join(fixtures, "server.pem"), "utf8"),
  key: readFileSync(join(fixtures, "server.key"), "utf8"),
}

export interface ProxyOptions {
  /** `USER:PASSWORD` that it wants to see. */
  readonly login?: string
  /** The status, and what follows of the head, with which it answers others; a 407 where it is not said. */
  readonly unknown?: string
  /** The status with which it refuses every tunnel. */
  readonly refuse?: string
  /** The proxy itself speaks TLS. */
  readonly secure?: boolean
}

export interface TestHttpProxy {
  readonly port: number
  /** HOST:PORT. */
  readonly where: string
  /** The first line of every request it was sent. */
  readonly asked: () => readonly string[]
}

/** Starts a proxy that leads whoever asks for any host to `port` on this machine. */
export async function httpProxy(port: number, options: ProxyOptions = {}): Promise<TestHttpProxy> {
  const heads: string[] = []
  const serve = (socket: Socket) => {
    let bytes = Buffer.alloc(0)
    function read(more: Buffer): void {
      bytes = Buffer.concat([bytes, more])
      const end = bytes.indexOf("\r\n\r\n")
      if (end < 0) return
      socket.off("data", read)
      const head = bytes.subarray(0, end).toString()
      heads.push(head)
      answer(socket, head, bytes, port, options)
    }
    socket.on("data", read)
    socket.on("error", () => socket.destroy())
  }
  const server = options.secure === true ? createTlsServer(serverTls, serve) : createServer(serve)
  const own = await listen(server)
  return {
    port: own,
    where: `127.0.0.1:${own}`,
    asked: () => heads.map((head) => head.split("\r\n")[0] ?? ""),
  }
}

function answer(
  socket: Socket,
  head: string,
  bytes: Buffer,
  port: number,
  { login, refuse, unknown = "407 Proxy Authentication Required" }: ProxyOptions,
): void {
  const tunnel = head.startsWith("CONNECT ")
  const credentials = login === undefined ? "" : `Basic ${Buffer.from(login).toString("base64")}`
  const refused = head.includes(credentials) ? tunnel && refuse : unknown
  if (typeof refused === "string") {
    socket.end(`HTTP/1.1 ${refused}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
    return
  }
  const onward = connect(port, "127.0.0.1", () => {
    if (tunnel) socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
    else onward.write(bytes)
    socket.pipe(onward)
    onward.pipe(socket)
  })
  onward.on("error", () => socket.destroy())
  socket.on("close", () => onward.destroy())
}

/** A TLS server that leads to `port`; gives its own port. */
export async function tlsFront(port: number): Promise<number> {
  return listen(
    createTlsServer(serverTls, (socket) => {
      const onward = connect(port, "127.0.0.1")
      socket.pipe(onward)
      onward.pipe(socket)
      for (const one of [socket, onward]) {
        one.on("error", () => one.destroy())
        one.on("close", () => (one === socket ? onward : socket).destroy())
      }
    }),
  )
}

function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => sockets.add(socket))
  cleanUp(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })
}
