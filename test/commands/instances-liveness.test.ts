// Whether an instance is there is told by its port and its id, within a time limit.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { livenessOf, probe, processOf } from "../../src/commands/instances/liveness.ts"
import { onWindows, recordOf } from "./instances-support.ts"

// Some of these start processes, on a machine that may be busy.
setDefaultTimeout(30_000)

const open: { readonly stop: (now: boolean) => unknown }[] = []

afterEach(async () => {
  for (const server of open.splice(0)) await server.stop(true)
})

function serve(fetch: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 0, fetch })
  open.push(server)
  return `http://127.0.0.1:${server.port}`
}

function listen(onOpen: (socket: Bun.Socket) => void): string {
  const server = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: { open: onOpen, data: () => {} },
  })
  open.push(server)
  return `http://127.0.0.1:${server.port}`
}

const health = (id: unknown) => Response.json({ status: "healthy", instance: { name: "kimi", id } })

async function closedUrl(): Promise<string> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() })
  const url = `http://127.0.0.1:${server.port}`
  await server.stop(true)
  return url
}

describe("the port is asked", () => {
  test("it is ours when it gives the id back, even while it ends", async () => {
    const paths: string[] = []
    const url = serve((request) => {
      paths.push(new URL(request.url).pathname)
      return new Response(JSON.stringify({ status: "draining", instance: { id: "x" } }), { status: 503 })
    })
    expect(await probe({ url, id: "x" })).toEqual({
      kind: "ours",
      health: { status: "draining", instance: { id: "x" } },
    })
    expect(paths).toEqual(["/health"])
  })

  test.each([
    ["another instance", () => health("y")],
    ["a proxy without a name", () => Response.json({ status: "healthy" })],
    ["no JSON", () => new Response("hello")],
    ["JSON that is no object", () => Response.json(["x"])],
    ["an id of another kind", () => health({ id: "x" })],
    ["a redirect", () => Response.redirect("http://127.0.0.1:1/health")],
  ])("%s is somebody else", async (_what, answer) => {
    const url = serve(answer)
    expect(await probe({ url, id: "x" })).toEqual({ kind: "other" })
  })

  test("nobody is silent", async () => {
    expect(await probe({ url: await closedUrl(), id: "x" })).toEqual({ kind: "silent" })
    expect(await probe({ url: "", id: "x" })).toEqual({ kind: "silent" })
  })

  test.each([
    ["takes the connection and says nothing", () => listen(() => {})],
    ["never ends its answer", () => serve(() => new Response(new ReadableStream({ start: () => {} })))],
  ])("one that %s is given up", async (_what, start) => {
    const startedAt = performance.now()
    expect(await probe({ url: start(), id: "x" }, 200)).toEqual({ kind: "silent" })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  test("one that talks without end is not listened to", async () => {
    const url = serve(() => {
      const bytes = new Uint8Array(65_536)
      return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(bytes) }))
    })
    expect(await probe({ url, id: "x" }, 20_000)).toEqual({ kind: "other" })
  })

  test("one that does not speak HTTP is not ours", async () => {
    const url = listen((socket) => {
      socket.end("220 mail ready\r\n")
    })
    expect((await probe({ url, id: "x" }, 2_000)).kind).not.toBe("ours")
  })
})

describe("how an instance is", () => {
  test("running", async () => {
    const url = serve(() => health("x"))
    expect(await livenessOf(recordOf({ url, id: "x" }))).toMatchObject({ kind: "running" })
  })

  test("dead, and why", async () => {
    const other = serve(() => health("y"))
    const silent = await closedUrl()
    expect(await livenessOf(recordOf({ url: silent }))).toEqual({
      kind: "dead",
      why: "its port does not answer",
    })
    expect(await livenessOf(recordOf({ url: other, id: "x" }))).toEqual({
      kind: "dead",
      why: "another program has its port",
    })
    expect(await livenessOf(recordOf({ state: "starting" }))).toEqual({
      kind: "dead",
      why: "it did not come up",
    })
  })

  test("dead although a process has its id by now", async () => {
    const record = recordOf({ url: await closedUrl(), pid: process.pid })
    expect(await livenessOf(record)).toEqual({ kind: "dead", why: "its port does not answer" })
  })

  test("dead when its id is our own by now, as that of every container's first process is", async () => {
    const startedAt = new Date().toISOString()
    const record = recordOf({ state: "starting", startedAt, pid: process.pid })
    expect(await livenessOf(record)).toEqual({ kind: "dead", why: "it did not come up" })
    expect(await processOf({ pid: process.pid, name: "kimi" })).toBe("gone")
  })

  /** A process with these words, from the moment on that it runs. */
  async function sleeperOf(...words: readonly string[]): Promise<Bun.Subprocess> {
    const script = 'console.log("ready"); setTimeout(() => {}, 60_000)'
    const child = Bun.spawn([process.execPath, "-e", script, "serve", ...words], { stdout: "pipe" })
    await child.stdout.getReader().read()
    return child
  }

  async function endOf(child: Bun.Subprocess): Promise<void> {
    child.kill("SIGKILL")
    await child.exited
  }

  test("starting, for a while", async () => {
    const startedAt = new Date().toISOString()
    expect(await livenessOf(recordOf({ state: "starting", startedAt }))).toEqual({ kind: "starting" })
  })

  test("starting while its process is there, dead at once when it is not", async () => {
    const child = await sleeperOf("--name=kimi")
    const record = recordOf({ state: "starting", startedAt: new Date().toISOString(), pid: child.pid })
    try {
      expect(await livenessOf(record)).toEqual({ kind: "starting" })
    } finally {
      await endOf(child)
    }
    expect(await livenessOf(record)).toEqual({ kind: "dead", why: "it did not come up" })
  })

  test("draining, whether its port is still there or not; dead when it is over", async () => {
    const url = serve(() => health("x"))
    expect(await livenessOf(recordOf({ state: "draining", url, id: "x" }))).toEqual({ kind: "draining" })
    const child = await sleeperOf("--name", "kimi")
    const record = recordOf({ state: "draining", url: await closedUrl(), pid: child.pid })
    try {
      expect(await livenessOf(record)).toEqual({ kind: "draining" })
    } finally {
      await endOf(child)
    }
    expect((await livenessOf(record)).kind).toBe("dead")
  })

  test("dead when a restart has left it so", async () => {
    const url = serve(() => health("x"))
    expect((await livenessOf(recordOf({ state: "ended", url, id: "x" }))).kind).toBe("dead")
  })

  test.each([
    [["--name", "KIMI"], "ours"],
    [["--name=Kimi"], "ours"],
    [["--name", "glm", "--name", "kimi"], "ours"],
    [["--name", "kimi", "--name", "glm"], "gone"],
    [["--name"], "gone"],
    [["kimi"], "gone"],
  ] as const)("its process is told by its name, in whatever case: %j", async (words, expected) => {
    const child = await sleeperOf(...words)
    try {
      expect(await processOf({ pid: child.pid, name: "kimi" })).toBe(expected)
    } finally {
      await endOf(child)
    }
  })

  test("unclear, and not dead, where nobody tells whose process it is", async () => {
    const url = await closedUrl()
    const child = await sleeperOf("--name", "kimi")
    const record = recordOf({ url, pid: child.pid })
    const told = await onWindows(() => livenessOf(record))
    await endOf(child)
    expect(told).toEqual({ kind: "unclear" })
    expect((await onWindows(() => livenessOf(record))).kind).toBe("dead")
  })

  test("hung, when its process is there and says nothing", async () => {
    const child = await sleeperOf("--name", "kimi")
    try {
      const record = recordOf({ url: await closedUrl(), pid: child.pid })
      expect(await livenessOf(record)).toEqual({ kind: "hung" })
      expect(await processOf({ ...record, name: "glm" })).toBe("gone")
    } finally {
      await endOf(child)
    }
    expect(await processOf({ pid: child.pid, name: "kimi" })).toBe("gone")
  })
})
