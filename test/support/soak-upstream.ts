// A program: the upstream of a soak, over bare TCP, so that it can break connections where an HTTP server would not
// let it, and knows of every request whether it is still open. It is told of a wave and asked about its state over a
// second port; both ports are printed.
import { isObject, parseJson } from "../../src/protocol/json.ts"
import { createOutput } from "../bench/speed/output.ts"
import { chunksOf, numberIn, type Plan, plansOf, replyOf } from "./soak-plan.ts"
import { type UpstreamState, waveOrder } from "./soak-talk.ts"

interface Talk {
  readonly plan: Plan
  readonly connection: Connection
  readonly frames: readonly Uint8Array[]
  next: number
  due: number
}

interface Connection {
  readonly write: (bytes: Uint8Array) => void
  readonly reset: () => void
  bytes: Buffer
  talk: Talk | undefined
}

const tickMs = 25
// A wave goes on when everybody is there, or when this time is over.
const longestWaitMs = 30_000
const waitingWordMs = 2_000
const encoder = new TextEncoder()
const frame = (text: string) => encoder.encode(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
const streamHead = encoder.encode(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
)
const waitingWord = frame(": everybody waits\n\n")

let plans: ReadonlyMap<number, Plan> = new Map()
let missing = 0
let released = Promise.withResolvers<void>()
let isReleased = false
let deadline = Number.POSITIVE_INFINITY
const arrived = new Map<number, number>()
const talks = new Set<Talk>()
const problems: string[] = []
let [requests, mostOpen, sockets] = [0, 0, 0]

function begin(order: unknown): void {
  const all = plansOf(waveOrder.parse(order))
  plans = new Map(all.map((plan) => [plan.number, plan]))
  missing = all.filter(mustArrive).length
  released = Promise.withResolvers<void>()
  isReleased = false
  deadline = performance.now() + longestWaitMs
  arrived.clear()
  ;[requests, mostOpen] = [0, 0]
}

const mustArrive = ({ fate }: Plan): boolean => fate !== "leaves-at-once"

function release(): void {
  isReleased = true
  released.resolve()
}

function take(connection: Connection, head: string, body: string): void {
  requests += 1
  const parsed = parseJson(body)
  const number = numberIn(body) ?? -1
  const plan = plans.get(number)
  if (!head.startsWith("POST /v1/chat/completions ") || plan === undefined || !parsed.ok) {
    problems.push(`not a request of the soak: ${head.slice(0, 60)} ${body.slice(0, 200)}`)
    connection.reset()
    return
  }
  const streams = isObject(parsed.value) && parsed.value["stream"] === true
  if (streams !== (plan.kind !== "plain")) problems.push(`request ${number}: stream is ${streams}`)
  if (connection.talk !== undefined) problems.push(`request ${number} on a connection that is in use`)
  const times = (arrived.get(number) ?? 0) + 1
  arrived.set(number, times)
  if (times === 1 && mustArrive(plan)) missing -= 1
  if (missing === 0) release()
  const talk = {
    plan,
    connection,
    frames: framesOf(plan, times),
    next: 0,
    due: performance.now() + plan.gapMs,
  }
  connection.talk = talk
  talks.add(talk)
  mostOpen = Math.max(mostOpen, talks.size)
}

/** The answer in the pieces in which it is written; those of a fate that ends early are fewer. */
function framesOf(plan: Plan, times: number): readonly Uint8Array[] {
  const { fate } = plan
  if (fate === "refused" || (fate === "refused-once" && times === 1)) return [refusal]
  if (fate === "reset" || (fate === "reset-once" && times === 1)) return []
  if (fate === "silent" || fate === "leaves-early") return []
  const whole = plan.kind === "plain" ? plainFrames(plan) : streamFrames(plan)
  if (fate === "broken" || fate === "silenced") return whole.slice(0, Math.ceil(whole.length / 2))
  if (fate === "leaves-at-once" || fate === "leaves-late") return whole.slice(0, -3)
  return whole
}

const refusalBody = JSON.stringify({ error: { message: "the soak wants it so", type: "server_error" } })
const refusal = encoder.encode(
  `HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\ncontent-length: ${refusalBody.length}\r\n\r\n${refusalBody}`,
)

function streamFrames(plan: Plan): readonly Uint8Array[] {
  const lines = chunksOf(plan).map((chunk) => frame(`data: ${JSON.stringify(chunk)}\n\n`))
  return [streamHead, ...lines, Buffer.concat([frame("data: [DONE]\n\n"), encoder.encode("0\r\n\r\n")])]
}

function plainFrames(plan: Plan): readonly Uint8Array[] {
  const body = Buffer.from(JSON.stringify(replyOf(plan)))
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
  const middle = body.length >> 1
  return [encoder.encode(head), body.subarray(0, middle), body.subarray(middle)]
}

/** Two pieces are out before everybody is there; then a stream says now and then that it waits. */
function advance(talk: Talk, now: number): void {
  const { plan, connection, frames } = talk
  while (now >= talk.due) {
    const isStream = plan.kind !== "plain" && frames.length > 2
    if (isStream && talk.next >= 3 && !isReleased) {
      connection.write(waitingWord)
      talk.due = now + waitingWordMs
      return
    }
    const bytes = frames[talk.next]
    if (bytes !== undefined) connection.write(bytes)
    talk.next += 1
    talk.due += plan.gapMs
    if (talk.next >= frames.length) finish(talk)
  }
}

const staying: ReadonlySet<string> = new Set([
  ...["silent", "silenced", "leaves-at-once", "leaves-early", "leaves-late"],
])

function finish(talk: Talk): void {
  const { plan, connection, frames } = talk
  talk.due = Number.POSITIVE_INFINITY
  if (staying.has(plan.fate)) return
  talks.delete(talk)
  connection.talk = undefined
  if (plan.fate === "broken" || frames.length === 0) connection.reset()
}

function read(connection: Connection, bytes: Buffer): void {
  connection.bytes =
    connection.bytes.length === 0 ? Buffer.from(bytes) : Buffer.concat([connection.bytes, bytes])
  const end = connection.bytes.indexOf("\r\n\r\n")
  if (end < 0) return
  const head = connection.bytes.toString("latin1", 0, end)
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
  if (connection.bytes.length < end + 4 + length) return
  const body = connection.bytes.toString("utf8", end + 4, end + 4 + length)
  connection.bytes = connection.bytes.subarray(end + 4 + length)
  take(connection, head, body)
}

/** Who is cut off here although the reply goes on was let go by the proxy. */
function closed({ talk }: Connection): void {
  sockets -= 1
  if (talk === undefined) return
  talks.delete(talk)
  const { fate, number } = talk.plan
  if (!staying.has(fate)) problems.push(`request ${number} (${fate}) was let go`)
}

const upstream = Bun.listen<{ connection: Connection; drain: () => void; close: () => void }>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open: (socket) => {
      sockets += 1
      const output = createOutput(socket)
      const connection: Connection = {
        write: (bytes) => output.write([bytes]),
        reset: () => socket.terminate(),
        bytes: Buffer.alloc(0),
        talk: undefined,
      }
      socket.data = { connection, drain: output.drain, close: output.close }
    },
    data: (socket, bytes) => read(socket.data.connection, bytes),
    drain: (socket) => socket.data.drain(),
    close: (socket) => {
      socket.data.close()
      closed(socket.data.connection)
    },
    error: () => {},
  },
})

setInterval(() => {
  const now = performance.now()
  if (!isReleased && now > deadline) release()
  for (const talk of talks) advance(talk, now)
}, tickMs)

const control = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  routes: {
    "/wave": {
      POST: async (request) => {
        begin(await request.json())
        return Response.json({})
      },
    },
    "/released": async () => {
      await released.promise
      return Response.json({})
    },
    "/state": () => {
      const state: UpstreamState = {
        ...{ open: talks.size, mostOpen, sockets, requests, arrived: arrived.size },
        problems: problems.slice(0, 20),
      }
      return Response.json(state)
    },
  },
})

console.log(JSON.stringify({ port: upstream.port, control: control.port }))
