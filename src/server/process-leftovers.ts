// The leftovers of this process: its heap is one for all servers in it.
import { edenGC, fullGC } from "bun:jsc"
import { createLeftovers } from "./leftovers.ts"

export const leftovers = createLeftovers({
  collectYoung: edenGC,
  collectAll: fullGC,
  later: (run) => void setImmediate(run),
})
