// Addresses are remembered once they were found: the same answers come for the first time and for the last.
import { afterEach, expect, test } from "bun:test"
import { startProxy, stopAll } from "./support.ts"

afterEach(stopAll)

const nowhere = "http://127.0.0.1:9/v1"

test.each([
  ["/health", 200],
  ["/v1/chat/nothing", 404],
  ["/v1/messages", 405],
])("%s is answered alike however many addresses were asked for", async (path, status) => {
  const { url } = startProxy(nowhere)
  const ask = async (query: string) => {
    const response = await fetch(url + path + query)
    const text = (await response.text()).replaceAll(/req_\w+|"timestamp":"[^"]*"/g, "")
    return { status: response.status, text }
  }
  const first = await ask("")
  expect(first.status).toBe(status)
  expect(await ask("")).toEqual(first)
  for (let n = 0; n < 150; n++) expect((await ask(`?n=${n}`)).status).toBe(status)
  expect((await ask(`?long=${"x".repeat(2_000)}`)).status).toBe(status)
  expect(await ask("")).toEqual(first)
})
