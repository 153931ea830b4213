// The list of models that an upstream gives, in whatever shape.
import { arrayOf, countOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { Route } from "../../providers/route.ts"
import { type LookOptions, look } from "../../upstream/look.ts"

export interface ListedModel {
  readonly id: string
  readonly owner: string | undefined
  /** Tokens that it takes in, where the list says. */
  readonly window: number | undefined
}

/** Lists are asked for once per address. */
export type ListModels = (route: Route) => Promise<readonly ListedModel[] | undefined>

/** Undefined from the result: the upstream gives no list. */
export function createLists(options: LookOptions): ListModels {
  const lists = new Map<string, Promise<readonly ListedModel[] | undefined>>()
  return (route) => {
    const url = listUrl(route)
    if (url === undefined) return Promise.resolve(undefined)
    const key = JSON.stringify([url, route.keyName, route.headers])
    const known = lists.get(key) ?? readList(url, route, options)
    lists.set(key, known)
    return known
  }
}

/** The base URL a route was made of: what stands before the endpoint. */
export function baseOf({ url }: Pick<Route, "url">): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname.replace(/\/(?:chat\/completions|responses|messages)$/, "")
}

/** What is deployed at Azure stands in no list that a key of the resource may read. */
export function isDeployment({ url }: Pick<Route, "url">): boolean {
  return /\/openai\/deployments\/|[?&]api-version=/.test(url)
}

function listUrl(route: Route): string | undefined {
  if (isDeployment(route)) return undefined
  const { search } = new URL(route.url)
  const most = route.profile.dialect === "messages" ? `${search === "" ? "?" : "&"}limit=1000` : ""
  return `${baseOf(route)}/models${search}${most}`
}

async function readList(
  url: string,
  route: Route,
  options: LookOptions,
): Promise<readonly ListedModel[] | undefined> {
  const answer = await look(url, route, options)
  if (answer?.status !== 200) return undefined
  const { json } = answer
  const entries = Array.isArray(json) ? json : arrayOf(objectOf(json)["data"] ?? objectOf(json)["models"])
  const models = entries.filter(isObject).flatMap(readEntry)
  return models.length === 0 ? undefined : models
}

// OpenRouter, Together and Moonshot; Groq; vLLM; Mistral; Anthropic; LM Studio.
const windowFields = [
  ...["context_length", "context_window", "max_model_len", "max_context_length", "max_input_tokens"],
  ...["loaded_context_length", "input_token_limit"],
]

function readEntry(entry: JsonObject): readonly ListedModel[] {
  const id = textOf(entry["id"]) ?? textOf(entry["name"]) ?? textOf(entry["model"])
  if (id === undefined) return []
  const windows = windowFields.map((field) => countOf(entry[field]))
  const window = windows.find((tokens) => tokens !== undefined && tokens > 0)
  // Gemini's names begin with where they stand.
  return [{ id: id.replace(/^models\//, ""), owner: textOf(entry["owned_by"]), window }]
}
