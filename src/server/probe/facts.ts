// What is known of a failure and of the way it came, in the words that advice is given in.
import { lookUp } from "../../protocol/json.ts"
import type { Route } from "../../providers/route.ts"
import type { Failure } from "./check.ts"
import { baseOf, isDeployment } from "./list.ts"
import type { Sight } from "./look.ts"
import type { ProbeTarget } from "./target.ts"

export interface Facts {
  readonly failure: Failure
  /** The model as its upstream calls it. */
  readonly model: string
  readonly host: string
  readonly origin: string
  readonly base: string
  /** Where the address is set; undefined: nowhere, as it is the one that is known of the provider. */
  readonly address: string | undefined
  /** Where the model's name is set, to go on with "to": "set BIG_MODEL". */
  readonly rename: string
  readonly keyName: string
  /** Where the key stands, for those alone who may know: "environment", or a file with its line. */
  readonly keyOrigin?: string | undefined
  readonly hasKey: boolean
  /** Azure's addresses are made of more than a base URL. */
  readonly azure: boolean
  readonly proxySetting: string | undefined
  readonly server: LocalServer | undefined
  readonly sight: Sight
}

/** How a server of one's own is started, and how it gets a model and a larger window. */
interface LocalServer {
  readonly start: string
  readonly pull?: string
  readonly widen: string
}

// By provider, or by the owner that a list of models names (docs.ollama.com, lmstudio.ai/docs, 2026-11).
const localServers: Readonly<Record<string, LocalServer>> = {
  ollama: {
    start: "ollama serve",
    pull: "ollama pull",
    widen: "set OLLAMA_CONTEXT_LENGTH=65536 where Ollama runs, and start it anew",
  },
  lmstudio: {
    start: "lms server start",
    pull: "lms get",
    widen: "load the model with a larger context length",
  },
  vllm: { start: "vllm serve MODEL", widen: "start vllm with a larger --max-model-len" },
  llamacpp: { start: "llama-server -m FILE --jinja", widen: "start llama-server with -c 65536" },
}

/** The server of one's own by this name, if it is one. */
export function localServer(name: string | undefined): LocalServer | undefined {
  return name === undefined ? undefined : lookUp(localServers, name)
}

/** How a model gets a larger window there. */
export function widening(server: LocalServer | undefined): string {
  return server?.widen ?? "choose a model with a larger one"
}

/** Collects the facts of one failure; `route` is where the request went, `origins` where settings stand. */
export function factsOf(
  failure: Failure,
  target: ProbeTarget,
  route: Route,
  origins: Readonly<Record<string, string>> = {},
): Facts {
  const { host, origin } = new URL(route.url)
  return {
    failure,
    model: route.model,
    host,
    origin,
    // Its endpoint is written with a /v1 of its own.
    base: route.profile.dialect === "messages" ? baseOf(route).replace(/\/v1$/, "") : baseOf(route),
    address: target.addressSetting,
    rename: target.modelSetting === undefined ? "change --model" : `set ${target.modelSetting}`,
    keyName: route.keyName,
    keyOrigin: origins[route.keyName],
    hasKey: route.apiKey !== undefined,
    azure: isDeployment(route),
    proxySetting: route.proxy?.setting,
    server: localServer(route.provider),
    sight: {},
  }
}
