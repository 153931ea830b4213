// A program: all clients of a wave, over bare TCP, each on a connection of its own. It reads its order from the first
// argument and prints one report of what became of them.
import { createOutput } from "../bench/speed/output.ts"
import { createReplyReader, type Reply } from "./fuzz-http.ts"
import { judge } from "./soak-judge.ts"
import { type Plan, plansOf, requestOf } from "./soak-plan.ts"
import { type ClientsReport, clientsOrder } from "./soak-talk.ts"

const order = clientsOrder.parse(JSON.parse(process.argv[2] ?? ""))
const { port } = new URL(order.proxy)
// So many connections are begun in one go, and the next ones when the proxy has accepted these: the kernel keeps 512
// for a socket that Bun listens on, and resets some of those beyond.
const atOnce = 100
const longestMs = 120_000

const problems: string[] = []
const tally = new Map<string, number>()
const fates = new Map<string, number>()
let [problemCount, bytes] = [0, 0]

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)

function report(plan: Plan, problem: string): void {
  problemCount += 1
  if (problems.length < 30) problems.push(`${plan.number} ${plan.kind} ${plan.fate}: ${problem}`)
}

/** Resolves when the upstream has all requests that must come to it. */
const released = fetch(`${order.control}/released`).then((response) => response.text())

type End = { readonly reply: Reply } | { readonly broken: string } | "left"

function requestText(plan: Plan): string {
  const body = JSON.stringify(requestOf(plan))
  const lines = [
    "POST /v1/messages HTTP/1.1",
    `host: 127.0.0.1:${port}`,
    "content-type: application/json",
    "x-api-key: any",
    `content-length: ${Buffer.byteLength(body)}`,
    ...(plan.session ? [`x-claude-code-session-id: soak-${plan.number}`] : []),
  ]
  return `${lines.join("\r\n")}\r\n\r\n${body}`
}

async function ask(plan: Plan): Promise<End> {
  const { promise, resolve } = Promise.withResolvers<End>()
  const content = Promise.withResolvers<void>()
  const reader = createReplyReader()
  const request = Buffer.from(requestText(plan))
  const began = performance.now()
  let drain = () => {}
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: Number(port),
    socket: {
      data: (_, given) => {
        bytes += given.length
        try {
          const reply = reader.push(given)
          if (reply !== undefined) resolve({ reply })
          if (plan.fate === "leaves-late" && reader.soFar().length > 0) content.resolve()
        } catch (error) {
          resolve({ broken: String(error) })
        }
      },
      drain: () => drain(),
      close: (_, error) => {
        const seconds = ((performance.now() - began) / 1000).toFixed(1)
        const what = `${seconds} s ${error ?? ""}, with ${JSON.stringify(reader.soFar().toString().slice(-200))}`
        resolve({ broken: `closed after ${what}` })
      },
      error: (_, error) => resolve({ broken: String(error) }),
    },
  })
  const output = createOutput(socket)
  drain = output.drain
  output.write([request])
  const timer = setTimeout(
    () => resolve({ broken: `no end: ${reader.soFar().toString().slice(-200)}` }),
    longestMs,
  )
  void leave(plan, content.promise).then(() => resolve("left"))
  const end = await promise
  clearTimeout(timer)
  socket.terminate()
  return end
}

/** Resolves when the client goes away; never for one that stays. */
async function leave({ fate, leaveMs }: Plan, content: Promise<void>): Promise<void> {
  if (!fate.startsWith("leaves")) return new Promise(() => {})
  if (fate !== "leaves-at-once") await released
  if (fate === "leaves-late") await content
  await Bun.sleep(leaveMs)
}

async function follow(plan: Plan): Promise<void> {
  const end = await ask(plan).catch((error: unknown) => ({ broken: String(error) }))
  count(fates, plan.fate)
  const leaves = plan.fate.startsWith("leaves")
  if (end === "left") count(tally, plan.fate === "leaves-at-once" ? "unsure" : "cancelled")
  else if ("broken" in end) report(plan, end.broken)
  else if (leaves)
    report(plan, `answered before it left: ${end.reply.status} ${end.reply.body}`.slice(0, 400))
  else {
    const judged = judge(plan, end.reply)
    for (const problem of judged.problems) report(plan, problem)
    count(tally, judged.status)
  }
}

const from = performance.now()
const all: Promise<void>[] = []
for (const plan of plansOf(order.wave)) {
  all.push(follow(plan))
  if (all.length % atOnce === 0) await fetch(`${order.proxy}/health`, { keepalive: false })
}
await Promise.all(all)
const result: ClientsReport = {
  ...{ tally: Object.fromEntries(tally), fates: Object.fromEntries(fates) },
  ...{ problems, problemCount, bytes },
  seconds: (performance.now() - from) / 1000,
}
console.log(JSON.stringify(result))
process.exit(0)
