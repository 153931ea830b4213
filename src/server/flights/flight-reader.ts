// One client's place in the reply of a flight.
import { type Fault, fault } from "../../protocol/fault.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import { createTrigger, type Trigger } from "../../upstream/signal.ts"
import type { Asker } from "../outcome/asker.ts"
import type { RequestOutcome } from "../outcome/outcome.ts"
import type { Opened } from "../reply/reading.ts"

/** A request that reads a flight. */
export interface Rider extends Asker {
  /** The client's own name of the model, which is echoed. */
  readonly model: string
  /** An outcome of its own, for one who reads what another one's request brings. */
  readonly outcome: () => RequestOutcome
}

export interface Reader {
  readonly rider: Rider
  /** When it came, by the clock. */
  readonly since: number
  /** Of its message, where it is not the session's own: two replies with one id would be merged by their client. */
  readonly id: string | undefined
  /** Fires when the client has left. */
  readonly client: Trigger
  /** Undefined for the one whose request the session is. */
  outcome: RequestOutcome | undefined
  /** In the log: what it reads next. */
  position: number
  /** When it was given something last, in milliseconds since the epoch. */
  readAt: number
  /** Something of the answer was given to it. */
  heard: boolean
  /** `left`: its client has, and what becomes of its request is open. */
  state: "reading" | "left" | "over"
  /** Its last words, where its client is still to be told. */
  fault: Fault | undefined
  /** It waits for something to happen. */
  wake: (() => void) | undefined
  /** How the reply began, unless it was over for this reader before. */
  readonly opened: Promise<Opened>
  readonly open: (opened: Opened) => void
}

/** A reader at the beginning. */
export function createReader(
  rider: Rider,
  since: number,
  id: string | undefined,
  opening: Promise<Opened>,
): Reader {
  const { promise: opened, resolve: open } = Promise.withResolvers<Opened>()
  opening.then(open)
  return {
    rider,
    since,
    id,
    client: createTrigger(),
    outcome: undefined,
    position: 0,
    readAt: since,
    heard: false,
    state: "reading",
    fault: undefined,
    wake: undefined,
    opened,
    open,
  }
}

/** Resolves when the reader is woken. `act` may cause it, and begins when it can be. */
export function sleep(reader: Reader, act: () => void): Promise<void> {
  return new Promise((resolve) => {
    reader.wake = () => {
      reader.wake = undefined
      resolve()
    }
    act()
  })
}

/** The events as this reader's own message. */
export function asOwn({ id, rider }: Reader, events: readonly MessagesEvent[]): readonly MessagesEvent[] {
  if (id === undefined) return events
  return events.map((event) =>
    event.type === "message_start"
      ? { ...event, message: { ...event.message, id, model: rider.model } }
      : event,
  )
}

/** What is left to say to a client whose connection ends before the reply does. */
export function lastWords(reader: Reader): readonly MessagesEvent[] | undefined {
  const { fault } = reader
  reader.fault = undefined
  return fault === undefined ? undefined : [{ type: "error", fault }]
}

const least = 1_000
const most = 10_000

/** How long a reply is waited for that was given up after so many milliseconds: a third at most is lost. */
export function lingerMs(waited: number): number {
  return waited < least ? 0 : Math.min(Math.max(waited / 3, least), most)
}

/** For a connection that its client has given up, and that the proxy still took for alive. */
export const sentAgain = fault({
  kind: "api_error",
  source: "client",
  status: 409,
  finalForClient: true,
  message: "this request was sent again; its reply goes to the later one",
})

export const tooSlow = fault({
  kind: "api_error",
  source: "client",
  status: 408,
  message: "the reply was read too slowly, while others with the same request waited; send it again",
})
