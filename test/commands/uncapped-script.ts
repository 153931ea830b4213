// Started by uncapped.test.ts: shows what became of the process that called ensureUncapped().
import { ensureUncapped } from "../../src/commands/serve/uncapped.ts"

async function main(): Promise<void> {
  const result = await ensureUncapped(process.env)
  const limit = process.env["BUN_CONFIG_MAX_HTTP_REQUESTS"]
  const purge = process.env["MIMALLOC_PURGE_DELAY"]
  console.log(JSON.stringify({ result, limit, purge, pid: process.pid, arguments: process.argv.slice(2) }))
}

main()
