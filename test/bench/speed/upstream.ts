// The scripted upstream, a process of its own: it answers every request with what it was told to answer with, from
// bytes that are ready, over bare TCP, so that it is never what limits the others.

import { sizeReply, slowEnd, slowPiece, slowStart, writesOf } from "./chat-wire.ts"
import { machineNow } from "./clock.ts"
import { type Facts, factsOf } from "./facts.ts"
import { createOutput, type Output } from "./output.ts"
import { createRequestReader, type RequestReader } from "./request-reader.ts"
import { createSlowStreams } from "./slow-streams.ts"
import { type UpstreamOrder, upstreamOrder } from "./talk.ts"
import type { Reply } from "./work.ts"

interface Line {
  readonly reader: RequestReader
  readonly output: Output
}

/** How requests are answered until the next order. */
interface Play {
  readonly answer: (output: Output, size: number) => void
  readonly wantsBody: boolean
  readonly stop: () => void
}

const none = () => {}

function playOf(reply: Reply): Play {
  const writes = writesOf(reply)
  if (writes !== undefined) {
    return { answer: (output) => output.write(writes), wantsBody: false, stop: none }
  }
  if (reply.kind !== "slow") {
    return { answer: (output, size) => output.write([sizeReply(size)]), wantsBody: true, stop: none }
  }
  const streams = createSlowStreams(reply.everyMs)
  return {
    answer: (output) => {
      output.write([slowStart])
      const write = (index: number) => output.write([Buffer.from(slowPiece(index, machineNow()))])
      streams.add(reply.chunks, write, () => output.write([slowEnd]))
    },
    wantsBody: false,
    stop: streams.stop,
  }
}

function startUpstream() {
  let play = playOf({ kind: "plain" })
  let facts: Facts | undefined
  let isFirst = false

  function complete(output: Output, size: number, body: Buffer | undefined): void {
    if (body !== undefined && isFirst) {
      isFirst = false
      facts = factsOf(body.toString())
    }
    play.answer(output, size)
  }

  function createLine(socket: Bun.Socket<Line | undefined>): Line {
    const output = createOutput(socket)
    const reader = createRequestReader(
      () => play.wantsBody && isFirst,
      (size, body) => complete(output, size, body),
    )
    return { output, reader }
  }

  function obey(order: UpstreamOrder): unknown {
    if (order.kind === "facts") return { facts }
    play.stop()
    play = playOf(order.reply)
    facts = undefined
    isFirst = true
    return { ready: true }
  }

  const server = Bun.listen<Line | undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = createLine(socket)
      },
      data(socket, bytes) {
        socket.data?.reader.push(bytes)
      },
      drain(socket) {
        socket.data?.output.drain()
      },
      close(socket) {
        socket.data?.output.close()
      },
      error: none,
    },
  })
  return { port: server.port, obey }
}

const { port, obey } = startUpstream()
process.on("message", (message) => process.send?.(obey(upstreamOrder.parse(message))))
// Whoever started this is gone.
process.on("disconnect", () => process.exit())
process.send?.({ port })
