// What the JSON of an error says, in whichever of the providers' shapes it comes.
import type { Fault } from "../fault.ts"
import { arrayOf, countOf, isObject, type JsonObject, jsonOf, lookUp, objectOf, textOf } from "../json.ts"

interface ErrorFacts {
  readonly message: string
  /** Codes, types and status words, lower case. */
  readonly codes: readonly string[]
  readonly named: Fault["named"]
  readonly status: number | undefined
  /** Numbers that stand in fields of their own (llama.cpp). */
  readonly numbers: string
}

/** What an error's JSON says; undefined where it is none. */
export function readError(value: unknown): ErrorFacts | undefined {
  if (typeof value === "string" && value.trim() !== "")
    return { message: value, codes: [], named: undefined, status: undefined, numbers: "" }
  if (Array.isArray(value)) return readError(value[0])
  if (!isObject(value)) return undefined
  const inner = objectOf(value["error"])
  const base = objectOf(value["base_resp"])
  const message = readMessage(value, inner, base)
  if (message === undefined && Object.keys(inner).length === 0) return undefined
  // What another server said, as the JSON that it came as (copilot-api, Databricks).
  const handedOn = message?.startsWith("{") === true ? readError(jsonOf(message)) : undefined
  const behind = readBehind(objectOf(inner["metadata"]))
  const given = [
    inner["code"],
    inner["type"],
    inner["status"],
    value["code"],
    value["error_code"],
    value["type"],
  ]
  const own = given.filter((code) => typeof code === "string" || typeof code === "number")
  const further = [...(behind?.codes ?? []), ...(handedOn?.codes ?? [])]
  return {
    message: `${handedOn?.message ?? message ?? JSON.stringify(inner)}${behind?.text ?? ""}${noRoomIn(inner)}`,
    codes: [...own, ...reasonsIn(inner), ...further].map((code) => String(code).toLowerCase()),
    named: handedOn?.named ?? namedIn(inner),
    status: statusOf(inner, value, base) ?? handedOn?.status,
    numbers:
      handedOn?.numbers ??
      numberFields.map((field) => numberIn(field, inner[field] ?? value[field])).join(" "),
  }
}

/** Google's ErrorInfo: a key that is over, or unknown, is an INVALID_ARGUMENT, and only this says what is wrong. */
function reasonsIn(inner: JsonObject): readonly string[] {
  return arrayOf(inner["details"]).flatMap((detail) => textOf(objectOf(detail)["reason"]) ?? [])
}

/** Groq's word for a reply that was cut stands where else is what the model wrote; its message has none. */
function noRoomIn({ failed_generation: failed }: JsonObject): string {
  return /^max completion tokens reached[\w ]{0,80}$/.test(textOf(failed) ?? "") ? ` (${failed})` : ""
}

// A name, not a text: what is longer repeats what was sent.
const longestName = 200

/** OpenAI's own two fields for what is to blame. */
function namedIn(inner: JsonObject): Fault["named"] {
  const nameOf = (value: unknown) => {
    const name = textOf(value)
    return name === undefined || name.length > longestName ? undefined : name
  }
  const [param, code] = [nameOf(inner["param"]), nameOf(inner["code"])]
  if (param === undefined && code === undefined) return undefined
  return { ...(param === undefined ? {} : { param }), ...(code === undefined ? {} : { code }) }
}

const numberFields = ["n_prompt_tokens", "n_ctx"] as const

const numberIn = (field: string, value: unknown): string =>
  countOf(value) === undefined ? "" : `${field} ${String(value)}`

function readMessage(value: JsonObject, inner: JsonObject, base: JsonObject): string | undefined {
  return (
    messageOf(inner["message"]) ??
    textOf(value["error"]) ??
    messageOf(value["message"]) ??
    messageOf(value["detail"]) ??
    messageOf(Array.isArray(value["errors"]) ? value["errors"][0] : value["errors"]) ??
    messageOf(arrayOf(value["error"])[0]) ??
    textOf(base["status_msg"]) ??
    textOf(value["msg"]) ??
    textOf(value["error_msg"]) ??
    textOf(value["title"])
  )
}

/** OpenRouter hands on what the host behind it said: as text, which may be that host's JSON. */
function readBehind(
  metadata: JsonObject,
): { readonly text: string; readonly codes: readonly string[] } | undefined {
  const raw = textOf(metadata["raw"])
  if (raw === undefined) return undefined
  const facts = readError(jsonOf(raw))
  const name = textOf(metadata["provider_name"])
  const said = shorten((facts?.message ?? raw).trim(), 300)
  return { text: ` (${name === undefined ? "" : `${name}: `}${said})`, codes: facts?.codes ?? [] }
}

// MiniMax's numbers (platform.minimax.io, error codes); others use the same ones for other things.
const minimaxStatus: Readonly<Record<string, number>> = {
  "1001": 504,
  "1002": 429,
  "1004": 401,
  "1008": 402,
  "1026": 400,
  "1027": 400,
  "1039": 429,
  "1041": 429,
  "2013": 400,
  "2045": 429,
  "2049": 401,
  "2056": 429,
}

function statusOf(inner: JsonObject, value: JsonObject, base: JsonObject): number | undefined {
  const given = [inner["code"], inner["status"], value["code"], value["status"]].map(countOf)
  const found = given.find((code) => code !== undefined && code >= 400 && code <= 599)
  const minimax = String(base["status_code"])
  return found ?? lookUp(minimaxStatus, minimax)
}

/** A string, FastAPI's list of `{loc, msg}`, or Mistral's object around one. */
function messageOf(value: unknown): string | undefined {
  if (typeof value === "string") return textOf(value)
  if (Array.isArray(value)) {
    const parts = value.map((item) => (isObject(item) ? validationText(item) : textOf(item)))
    return textOf(parts.filter((part) => part !== undefined).join("; "))
  }
  if (!isObject(value)) return undefined
  return (
    messageOf(value["detail"]) ?? textOf(value["message"]) ?? textOf(value["msg"]) ?? JSON.stringify(value)
  )
}

function validationText(item: JsonObject): string | undefined {
  const place = arrayOf(item["loc"]).join(".")
  const text = textOf(item["msg"]) ?? textOf(item["message"])
  return place === "" || text === undefined ? text : `${place}: ${text}`
}

/** The text, cut where it is longer than `length`. */
export function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}
