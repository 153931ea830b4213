// A body that comes when nobody waits for it any more, and one whose reading fails in a way of ours.
import { expect, test } from "bun:test"
import { type BodyLimits, readBody } from "../../src/server/http/body.ts"
import { systemClock } from "../../src/upstream/deadline.ts"

const text = JSON.stringify({ model: "m", pad: "x".repeat(300_000) })

function limited(run: BodyLimits["turns"]["run"], clock: BodyLimits["clock"] = systemClock): BodyLimits {
  return { config: { maxBodyBytes: 1_000_000 }, times: { bodyMs: 60_000 }, clock, turns: { run } }
}

/** A request, and what lets its body come. */
function late(): { readonly request: Request; readonly come: () => void } {
  let come = () => {}
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      come = () => {
        controller.enqueue(new TextEncoder().encode(text))
        controller.close()
      }
    },
  })
  const headers = { "content-length": String(text.length) }
  return { request: new Request("http://localhost/v1/messages", { method: "POST", body, headers }), come }
}

test("what comes after the time is over is not read", async () => {
  const timers: (() => void)[] = []
  const setTimer = (run: () => void) => {
    timers.push(run)
    return () => {}
  }
  let parsed = 0
  const count: BodyLimits["turns"]["run"] = () => {
    parsed += 1
    return Promise.reject(new Error("nobody waits for it"))
  }
  const { request, come } = late()
  const reading = readBody(request, limited(count, { ...systemClock, setTimer }))
  expect(timers).toHaveLength(1)
  for (const run of timers) run()
  expect(await reading).toMatchObject({ ok: false, fault: { status: 408 } })
  come()
  await Bun.sleep(20)
  expect(parsed).toBe(0)
})

test("a mistake of ours while it is read ends the request, and does not leave it hanging", async () => {
  const { request, come } = late()
  const reading = readBody(
    request,
    limited(() => {
      throw new Error("broken")
    }),
  )
  come()
  await expect(reading).rejects.toThrow("broken")
})
