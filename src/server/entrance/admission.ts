// How many requests to models run at once: the places there are, and who has one. A place is free again at the end
// of the answer, however that comes.
import { type Fault, fault } from "../../protocol/fault.ts"

export interface Places {
  /**
   * Runs the request if a place is free, and has its answer keep the place to its end; else gives the Fault.
   * What `run` throws is thrown on.
   */
  readonly within: (most: number, request: Request, run: () => Promise<Response>) => Promise<Response> | Fault
}

/** No place is taken. They outlive a change of the configuration, as requests do. */
export function createPlaces(): Places {
  let taken = 0

  function take(): () => void {
    taken += 1
    let mine = true
    return () => {
      if (mine) taken -= 1
      mine = false
    }
  }

  async function keep(request: Request, run: () => Promise<Response>): Promise<Response> {
    const free = take()
    // A client that leaves may never read the answer to its end.
    request.signal.addEventListener("abort", free, { once: true })
    if (request.signal.aborted) free()
    try {
      const response = await run()
      return isStream(response) ? held(response, free) : released(response, free)
    } catch (error) {
      free()
      throw error
    }
  }

  return {
    within: (most, request, run) => (taken < most ? keep(request, run) : overloaded(most)),
  }
}

function overloaded(most: number): Fault {
  return fault({
    kind: "overloaded_error",
    source: "proxy",
    message: `this proxy runs ${most} ${most === 1 ? "request" : "requests"} at once and no more (MAX_CONCURRENT_REQUESTS): try again in a moment`,
    retryAfterMs: 1_000,
  })
}

function isStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") === true
}

function released(response: Response, free: () => void): Response {
  free()
  return response
}

/** The same response, which says when its body is over: read to its end, broken, or given up by its reader. */
function held(response: Response, free: () => void): Response {
  if (response.body === null) return released(response, free)
  const reader = response.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          free()
          controller.close()
        } catch (error) {
          free()
          controller.error(error)
        }
      },
      cancel(reason) {
        free()
        return reader.cancel(reason)
      },
    },
    // Nothing is taken out of the stream before somebody asks for it.
    { highWaterMark: 0 },
  )
  const { status, headers } = response
  return new Response(body, { status, headers })
}
