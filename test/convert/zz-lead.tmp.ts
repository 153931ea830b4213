import { readdir } from "node:fs/promises"
import { convertRequest } from "../../src/convert/request/request.ts"
import { cacheGroup, sessionOf } from "../../src/convert/request/session.ts"
import { objectOf, parseJson } from "../../src/protocol/json.ts"
import { findLeaks } from "../support/strict/leaks.ts"
import { strictProviders } from "../support/strict/providers.ts"
import { limits, parse, readFixture, routeTo } from "./request-support.ts"
const folder = `${import.meta.dir}/../fixtures/requests`
const counts = new Map<string, [number, string]>()
for (const f of await readdir(folder)) {
  const raw = await readFixture(f.replace(/\.json$/, ""))
  for (const p of strictProviders) for (const m of p.models) for (const stream of [true, false]) {
    try {
    const request = parse({ ...objectOf(raw), stream })
    const { body, answer } = convertRequest(request, routeTo([p.id, m]), limits, cacheGroup(sessionOf(request), "a"))
    if (answer) continue
    const sent = parseJson(JSON.stringify(body))
    const wire = objectOf(sent.ok ? sent.value : undefined)
    for (const r of [...p.check(wire, m), ...findLeaks(wire)]) {
      const k = `${p.id}: ${r.replace(/\d+/g, "N").slice(0, 150)}`
      const c = counts.get(k); counts.set(k, [(c?.[0] ?? 0) + 1, c?.[1] ?? `${f} ${m} ${stream}`])
    }
    } catch (e) { console.log(f, p.id, m, String(e).slice(0,200)) }
  }
}
for (const [k, [n, ex]] of [...counts].sort((a, b) => a[0] < b[0] ? -1 : 1)) console.log(n, k, " e.g.", ex)
