// The slow streams of the scripted upstream: thousands of them, each with its own beat, from one timer.
import { machineNow } from "./clock.ts"

const tickMs = 2

interface Running {
  next: number
  readonly chunks: number
  readonly write: (index: number) => void
  readonly end: () => void
}

export interface SlowStreams {
  readonly add: (chunks: number, write: (index: number) => void, end: () => void) => void
  readonly stop: () => void
}

/** A wheel of one turn per `everyMs`: a stream is written to whenever the wheel comes to where it was put in. */
export function createSlowStreams(everyMs: number): SlowStreams {
  const slots: Set<Running>[] = Array.from({ length: Math.ceil(everyMs / tickMs) }, () => new Set())
  const started = machineNow()
  let ticks = 0
  const timer = setInterval(advance, tickMs)

  function advance(): void {
    const due = Math.floor((machineNow() - started) / tickMs)
    for (; ticks < due; ticks++) turn(slots[ticks % slots.length])
  }

  function turn(slot: Set<Running> | undefined): void {
    for (const stream of slot ?? []) {
      if (stream.next < stream.chunks) stream.write(stream.next++)
      else {
        slot?.delete(stream)
        stream.end()
      }
    }
  }

  return {
    add: (chunks, write, end) => {
      const last = (ticks + slots.length - 1) % slots.length
      slots[last]?.add({ next: 0, chunks, write, end })
    },
    stop: () => clearInterval(timer),
  }
}
