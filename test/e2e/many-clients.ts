// Run as a program of its own, because fetch's limit of 256 at once is read when a process starts: opens
// `count` streams at once and prints every answer's text, or what went wrong, as a JSON list.
import Anthropic from "@anthropic-ai/sdk"

const [baseURL = "", count = "1"] = process.argv.slice(2)
const client = new Anthropic({ baseURL, apiKey: "any", maxRetries: 0, timeout: 60_000 })

async function ask(number: number): Promise<string> {
  const messages = [{ role: "user" as const, content: `Number ${number}` }]
  const stream = client.messages.stream({ model: "claude-opus-5-5", max_tokens: 100, messages })
  return stream.finalText()
}

const asked = Array.from({ length: Number(count) }, (_, number) => ask(number))
const settled = await Promise.allSettled(asked)
console.log(
  JSON.stringify(settled.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason)))),
)
