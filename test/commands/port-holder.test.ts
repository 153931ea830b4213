import { expect, test } from "bun:test"
import {
  describeHolder,
  listeningSockets,
  parseLsof,
  parseNetstat,
  parseTasklist,
} from "../../src/commands/serve/port-holder.ts"

test("names this process for a port it listens on", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() })
  const holder = await describeHolder(server.port ?? 0)
  await server.stop(true)
  expect(holder).toBe(`bun (pid ${process.pid})`)
  expect(await describeHolder(server.port ?? 0)).toBeUndefined()
})

test("finds the listeners in /proc/net/tcp by port and state", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 26473 1 0000 100 0 0 10 0
   1: 0100007F:1F92 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 26999 1 0000 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11111 1 0000 100 0 0 10 0
`
  expect(listeningSockets(table, 8082)).toEqual(["socket:[26473]"])
  expect(listeningSockets(table, 22)).toEqual(["socket:[11111]"])
  expect(listeningSockets(table, 80)).toEqual([])
  expect(listeningSockets("", 80)).toEqual([])
})

test("reads lsof", () => {
  expect(parseLsof("p4711\ncnode\nf21\n")).toBe("node (pid 4711)")
  expect(parseLsof("")).toBeUndefined()
})

test("reads netstat in any language, and tasklist", () => {
  const text =
    "\r\nAktive Verbindungen\r\n\r\n  TCP    127.0.0.1:8082    127.0.0.1:50000    HERGESTELLT    11\r\n  TCP    0.0.0.0:8082    0.0.0.0:0    ABHÖREN    4711\r\n"
  expect(parseNetstat(text, 8082)).toBe("4711")
  expect(parseNetstat(text, 82)).toBeUndefined()
  expect(parseTasklist('"node.exe","4711","Console","1","50.000 K"\r\n')).toBe("node.exe")
  expect(parseTasklist("INFO: No tasks are running\r\n")).toBe("")
})
