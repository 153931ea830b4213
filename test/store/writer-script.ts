// Adds batches to a statistics file, as a process that may be killed: FILE BATCHES ROWS. Writes the number of each
// batch once it is in the file.
import { batch, dayRow, openStore, sessionRow, tally } from "./support.ts"

const [path = "", batches = "0", rows = "1"] = process.argv.slice(2)
const store = openStore(path, 20_000)
for (let index = 0; index < Number(batches); index++) {
  const days = Array.from({ length: Number(rows) }, (_, row) =>
    dayRow({ model: `m${row}`, day: `2026-01-${String((index % 28) + 1).padStart(2, "0")}` }),
  )
  const sessions = Array.from({ length: Number(rows) }, (_, row) =>
    sessionRow({ session: `s${index % 50}`, model: `m${row}`, lastUsed: index, tally: tally(1) }),
  )
  const added = store.add(batch(days, sessions))
  if (!added.ok) throw new Error(added.problem.why)
  process.stdout.write(`${index + 1}\n`)
}
store.close()
