// A signal of ours does what an AbortSignal does, as far as it goes.
import { expect } from "bun:test"
import { createTrigger, fire, type Signal } from "../../src/upstream/signal.ts"
import { property } from "../support/random.ts"

interface Kind {
  readonly signal: Signal
  readonly fire: () => void
}

function triggerKind(): Kind {
  const signal = createTrigger()
  return { signal, fire: () => fire(signal) }
}

function abortKind(): Kind {
  const controller = new AbortController()
  return { signal: controller.signal, fire: () => controller.abort() }
}

property("it fires as an AbortSignal does", 300, (random) => {
  const steps = Array.from({ length: random.integer(1, 12) }, () => ({
    does: random.pick(["add", "add", "remove", "fire", "look"]),
    who: random.integer(0, 3),
  }))
  const told = [triggerKind(), abortKind()].map(({ signal, fire }) => {
    const heard: unknown[] = []
    const hears = [0, 1, 2, 3].map((who) => () => {
      heard.push(who, signal.aborted)
    })
    for (const { does, who } of steps) {
      const hear = hears[who] ?? fire
      if (does === "add") signal.addEventListener("abort", hear, { once: true })
      else if (does === "remove") signal.removeEventListener("abort", hear)
      else if (does === "fire") fire()
      else heard.push(signal.aborted)
    }
    return heard
  })
  expect(told[0]).toEqual(told[1] ?? [])
})
