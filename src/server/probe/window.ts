// How much a model takes in, as its server says: the tables know what a model can do, not how it was started.
import { arrayOf, countOf, isObject, type JsonObject, lookUp, objectOf, textOf } from "../../protocol/json.ts"
import type { Route } from "../../providers/route.ts"
import { type LookOptions, look } from "../../upstream/look.ts"
import type { ListedModel } from "./list.ts"

/** Asks one URL of the server, by GET or with a body; the JSON of its answer, or undefined. */
type Fetch = (path: string, body?: unknown) => Promise<unknown>

// What servers of one's own tell in other places than in their list of models, by provider or by the owner that
// their lists name (docs.ollama.com/api/ps and /show; lmstudio.ai/docs, REST API v0; llama.cpp tools/server).
const servers: Readonly<Record<string, (fetch: Fetch, model: string) => Promise<number | undefined>>> = {
  ollama: ollamaWindow,
  lmstudio: lmstudioWindow,
  llamacpp: llamacppWindow,
}

/** The model's window in tokens as it is served; undefined when nobody says. `listed` is its entry in the list. */
export async function servedWindow(
  route: Route,
  listed: ListedModel | undefined,
  options: LookOptions,
): Promise<number | undefined> {
  const server = lookUp(servers, route.provider) ?? lookUp(servers, listed?.owner ?? "")
  const { origin } = new URL(route.url)
  const fetch: Fetch = async (path, body) => {
    const answer = await look(`${origin}${path}`, route, body === undefined ? options : { ...options, body })
    return answer?.status === 200 ? answer.json : undefined
  }
  return (await server?.(fetch, route.model)) ?? listed?.window
}

/** What it is loaded with counts; a model that is not loaded has what it was told, else what it could. */
async function ollamaWindow(fetch: Fetch, model: string): Promise<number | undefined> {
  const names = [model, `${model}:latest`]
  const loaded = arrayOf(objectOf(await fetch("/api/ps"))["models"]).find(
    (entry) => isObject(entry) && names.includes(String(entry["model"] ?? entry["name"])),
  )
  const running = countOf(objectOf(loaded)["context_length"])
  if (running !== undefined && running > 0) return running
  const shown = objectOf(await fetch("/api/show", { model }))
  const told = /^num_ctx\s+(\d+)/m.exec(textOf(shown["parameters"]) ?? "")?.[1]
  if (told !== undefined) return Number(told)
  const [, most] =
    Object.entries(objectOf(shown["model_info"])).find(([key]) => key.endsWith(".context_length")) ?? []
  return countOf(most)
}

async function lmstudioWindow(fetch: Fetch, model: string): Promise<number | undefined> {
  const entry = objectOf(
    arrayOf(objectOf(await fetch("/api/v0/models"))["data"]).find((one) => objectOf(one)["id"] === model),
  )
  return countOf(entry["loaded_context_length"]) ?? countOf(entry["max_context_length"])
}

async function llamacppWindow(fetch: Fetch): Promise<number | undefined> {
  const settings: JsonObject = objectOf(objectOf(await fetch("/props"))["default_generation_settings"])
  return countOf(settings["n_ctx"])
}
