// The practical limit, a process of its own: a pass-through in Bun that parses nothing and passes bytes on as they come.
const [, , upstream, port] = process.argv

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port ?? 0),
  idleTimeout: 0,
  development: false,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  async fetch(request) {
    const { pathname } = new URL(request.url)
    const response = await fetch(`${upstream}${pathname}`, {
      method: request.method,
      headers: { "content-type": "application/json", authorization: "Bearer bench" },
      ...(request.method === "POST" ? { body: await request.arrayBuffer() } : {}),
      signal: request.signal,
    })
    const type = response.headers.get("content-type") ?? "application/json"
    return new Response(response.body, { status: response.status, headers: { "content-type": type } })
  },
})

process.on("disconnect", () => process.exit())
process.send?.({ port: server.port })
