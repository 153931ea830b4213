// Blocks of tools that Anthropic's servers ran, in an assistant's earlier words: what was asked for and what came of
// it, as text. Nobody waits for these calls, so they are none here.
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"

/** The text that such a block stands for; undefined when it stands for none. */
export function serverBlockText(block: JsonObject): string | undefined {
  const type = String(block["type"])
  if (type === "server_tool_use" || type === "mcp_tool_use")
    return `[${String(block["name"])}: ${JSON.stringify(block["input"] ?? {})}]`
  if (type === "compaction") return textOf(block["content"])
  if (!type.endsWith("_tool_result")) return undefined
  const { content } = block
  const { error_code, error_message } = objectOf(content)
  const why = [error_code, error_message].map(textOf).filter((text) => text !== undefined)
  if (textOf(error_code) !== undefined) return `[${type} failed: ${why.join(": ")}]`
  const said = resultText(content) ?? `[${type}] ${readable(content ?? "")}`
  return block["is_error"] === true ? `[${type} failed] ${said}` : said
}

/** What a result says in words; undefined when it says nothing that way. */
function resultText(content: unknown): string | undefined {
  if (!isObject(content)) {
    const lines = arrayOf(content).filter(isObject).map(resultLine)
    return lines.length > 0 ? lines.join("\n") : textOf(content)
  }
  if (content["type"] !== "web_fetch_result") return textOf(content["text"])
  const { source, title } = objectOf(content["content"])
  const page = textOf(objectOf(source)["data"])
  const isText = objectOf(source)["type"] === "text"
  const line = resultLine({ url: content["url"], title })
  return isText && page !== undefined ? `${line}\n${page}` : `${line}\n[document omitted]`
}

function resultLine(item: JsonObject): string {
  const url = textOf(item["url"])
  return url === undefined ? (textOf(item["text"]) ?? "") : `- ${textOf(item["title"]) ?? url} — ${url}`
}

/** As JSON, without what only Anthropic can read. */
const readable = (content: unknown): string =>
  JSON.stringify(content, (key, value: unknown) => (key.startsWith("encrypted_") ? undefined : value))
