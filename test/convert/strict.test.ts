// Every request fixture, converted for every provider and model, before that provider's strict validator:
// nothing may be refused, and nothing of Anthropic's, the client's or ours may reach a provider.
import { describe, expect, test } from "bun:test"
import { readdir } from "node:fs/promises"
import { convertRequest } from "../../src/convert/request/request.ts"
import { cacheGroup, sessionOf } from "../../src/convert/request/session.ts"
import { objectOf, parseJson } from "../../src/protocol/json.ts"
import { providers } from "../../src/providers/table.ts"
import { findLeaks } from "../support/strict/leaks.ts"
import { type StrictProvider, strictProviders } from "../support/strict/providers.ts"
import { limits, parse, readFixture, routeTo } from "./request-support.ts"

const agent = "0123456789abcdef0123456789abcdef"
const folder = `${import.meta.dir}/../fixtures/requests`
const names = (await readdir(folder)).map((file) => file.replace(/\.json$/, "")).toSorted()
const fixtures = await Promise.all(names.map(async (name) => [name, await readFixture(name)] as const))

/** Reasons against the body made of `raw` for one model, streamed or not. */
function refusals(raw: unknown, { id, check }: StrictProvider, model: string, stream: boolean) {
  const request = parse({ ...objectOf(raw), stream })
  const session = cacheGroup(sessionOf(request), agent)
  const { body, answer } = convertRequest(request, routeTo([id, model]), limits, session)
  // Answered without the provider: there is nothing to refuse.
  if (answer !== undefined) return []
  const sent = parseJson(JSON.stringify(body))
  const wire = objectOf(sent.ok ? sent.value : undefined)
  const reasons = [...check(wire, model), ...findLeaks(wire)]
  return reasons.map((reason) => `${model}${stream ? "" : ", not streamed"}: ${reason}`)
}

test("there is a fixture for everything a request can hold", () => {
  expect(names.length).toBeGreaterThan(30)
})

test("every provider that speaks Chat Completions has a strict validator, and none is without a row", () => {
  const rows = providers.filter(({ delta }) => delta.dialect !== "messages").map(({ id }) => id)
  expect(strictProviders.map(({ id }) => id).toSorted()).toEqual(rows.toSorted())
})

describe.each([...strictProviders])("$id refuses nothing of", (provider) => {
  test.each(fixtures)("%s", (_, raw) => {
    const own = objectOf(raw)["stream"] === true
    const reasons = provider.models.flatMap((model) =>
      [...new Set([true, own])].flatMap((stream) => refusals(raw, provider, model, stream)),
    )
    expect(reasons).toEqual([])
  })
})
