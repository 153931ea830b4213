// The requests under way that another one may join: those that equal requests share, by what is asked, and those
// whose client may send its request again, by who asks it.
import type { Config } from "../../config/config.ts"
import type { Logger } from "../../observe/log.ts"
import type { Clock } from "../../upstream/deadline.ts"
import type { Seat } from "../outcome/asker.ts"
import type { Reading } from "../reply/reading.ts"
import { createFlight, type Flight, type FlightOptions } from "./flight.ts"
import type { Rider } from "./flight-reader.ts"
import { createResends, type Resends } from "./resends.ts"

/** What a flight is found by. */
export interface FlightKeys {
  /** Of the question, whoever asks; undefined: it is not shared. */
  readonly shared: string | undefined
  /** Of the very request; undefined: nobody knows who sends it. */
  readonly resent: string | undefined
}

export interface Flights {
  readonly resume: Resends<Rider, Reading>["resume"]
  /** Reads along with an equal request: `hit`; or goes on with one that its client has given up: `miss`. */
  readonly join: (key: string, rider: Rider) => Joined | undefined
  /** The flight of a new session, with its first reader. */
  readonly start: (keys: FlightKeys, config: Config, rider: Rider, options: StartOptions) => Reading
  /** Requests that are passed through. */
  readonly passed: Resends<Seat, Promise<Response>>
  /** Nothing waits for its client any more, now or later. */
  readonly stop: () => void
}

interface Joined {
  readonly reading: Reading
  readonly cache: "hit" | "miss"
}

type StartOptions = Pick<FlightOptions, "session" | "limit" | "onReply">

interface FlightsOptions {
  readonly clock: Clock
  readonly log: Pick<Logger, "debug" | "info" | "error">
}

/** Nothing is under way. */
export function createFlights({ clock, log }: FlightsOptions): Flights {
  const shared = new Map<string, Flight>()
  const resends = createResends<Rider, Reading>(log)
  const passed = createResends<Seat, Promise<Response>>(log)
  return {
    passed,
    resume: resends.resume,
    join: (key, rider) => {
      const flight = shared.get(key)
      if (flight === undefined) return undefined
      const cache = flight.waits() ? "miss" : "hit"
      return { reading: flight.join(rider), cache }
    },
    start: ({ shared: question, resent }, config, rider, options) => {
      let remove: () => void = () => {}
      const flight: Flight = createFlight({
        ...options,
        ...{ clock, log },
        shared: question !== undefined,
        lingers: resent !== undefined,
        onLinger: (begins) => resends.linger(flight, begins),
        onClose: () => {
          if (question !== undefined && shared.get(question) === flight) shared.delete(question)
          remove()
        },
      })
      // Who wanted a fresh answer may have asked beside one that is under way.
      if (question !== undefined && !shared.has(question)) shared.set(question, flight)
      if (resent !== undefined) remove = resends.enter(resent, config, rider, flight)
      return flight.join(rider)
    },
    stop: () => {
      resends.stop()
      passed.stop()
    },
  }
}
