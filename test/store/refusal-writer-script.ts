// One of several processes that write to one file.
import { openRefusalStore } from "../../src/store/refusal-store.ts"

const [path = "", name = ""] = process.argv.slice(2)
const opened = openRefusalStore(path, { busyMs: 20_000 })
if (!opened.ok) throw new Error(opened.problem.why)
for (let at = 0; at < 20; at += 1) {
  const about = { url: "u", model: name, cause: `c${at}`, provider: "p" }
  const kept = opened.value.keep([{ ...about, amendment: "{}", why: "", since: at, confirmed: at }], 0)
  if (!kept.ok) throw new Error(kept.problem.why)
}
opened.value.close()
