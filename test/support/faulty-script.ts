// What the faulty upstream says to a request: the path names the fault, the prompt names the case.
import { otherSaid } from "./faulty-cases.ts"
import { faultRows } from "./faulty-table.ts"
import { type FaultyRequest, type FaultyStep, headOf, sized } from "./faulty-upstream.ts"
import { allSaid, halfSaid, type Wire, wholeOf, wireOf } from "./faulty-wire.ts"

/** In every key, and in nothing else. */
export const canary = "CANARY"

export const promptOf = (id: number | string): string => `This is case <${id}>.`
export const caseOf = ({ text }: Pick<FaultyRequest, "text">): string => /case <(\w+)>/.exec(text)?.[1] ?? ""
export const placeOf = ({ path }: Pick<FaultyRequest, "path">): string => path.split("/")[1] ?? ""

const rows = Object.values(faultRows)

export interface FaultyScript {
  readonly answer: (request: FaultyRequest) => readonly FaultyStep[]
  /** What was asked for a case. */
  readonly asked: (id: number | string) => readonly FaultyRequest[]
}

/** The script of one upstream. */
export function createFaultyScript(): FaultyScript {
  const asked = new Map<string, FaultyRequest[]>()

  function answer(request: FaultyRequest): readonly FaultyStep[] {
    const place = placeOf(request)
    const dialect = request.path.endsWith("/messages") ? "native" : "chat"
    const stream = request.body["stream"] === true
    const secrets = Object.values(request.headers)
      .filter((value) => value.includes(canary))
      .map((value) => value.replace("Bearer ", ""))
      .join(" ")
    const before = asked.get(caseOf(request)) ?? []
    asked.set(caseOf(request), [...before, request])
    const says = (half: string, text: string) => good(wireOf(dialect, stream, [half, text]))
    if (place === "good") return says(halfSaid, allSaid)
    if (place === "fine") return says(otherSaid.slice(0, 6), otherSaid)
    if (place === "bad-key") return failing(401, `the fallback has no such key: ${secrets}`)
    if (place === "bad-full") return failing(529, `the fallback is full; you sent ${secrets}`)
    const attempt = before.filter((one) => placeOf(one) === place).length
    const row = rows[Number(place.slice(1))]
    return row?.steps(wireOf(dialect, stream), secrets, attempt) ?? [headOf(500, {}), "fin"]
  }

  return { answer, asked: (id) => asked.get(String(id)) ?? [] }
}

const good = (wire: Wire) => sized(200, wholeOf(wire), { "content-type": wire.type })

function failing(status: number, message: string): readonly FaultyStep[] {
  const type = status === 401 ? "authentication_error" : "overloaded_error"
  const body = JSON.stringify({ type: "error", error: { type, message } })
  const wait = status === 401 ? {} : { "retry-after": "7" }
  return sized(status, body, { "content-type": "application/json", ...wait })
}
