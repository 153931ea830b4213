// What can be tested: each of the configured models once, with everything that stands for it.
import type { Config, Upstream } from "../../config/config.ts"
import { findModel, pickModel, splitName } from "../../config/routes/pick.ts"
import { type Resolved, resolveRoute } from "../../config/routes/route.ts"

/** What a model may stand for, by the setting that says so. */
const useSettings = {
  big: "BIG_MODEL",
  middle: "MIDDLE_MODEL",
  small: "SMALL_MODEL",
  default: "ROUTER_DEFAULT",
  background: "ROUTER_BACKGROUND",
  think: "ROUTER_THINK",
  long_context: "ROUTER_LONG_CONTEXT",
} as const

export type Use = keyof typeof useSettings

export interface ProbeTarget {
  /** As it is asked for, past every rule of routing. */
  readonly name: string
  readonly uses: readonly Use[]
  readonly resolved: Resolved
  /** Where its address is written, as a person would look for it; undefined: it is the provider's own. */
  readonly addressSetting: string | undefined
  /** Nothing leads to it and nobody named it: it may well lack its key. */
  readonly spare: boolean
  /** Where its name is written; undefined: on the command line. */
  readonly modelSetting: string | undefined
}

/** The models that tiers and routes lead to; with `all` those of models.yaml too. No model is there twice. */
export function targetsOf(config: Config, all: boolean): readonly ProbeTarget[] {
  const named = usedModels(config).map(({ use, name }) => targetOf(config, name, [use]))
  const own = all ? config.models.map(({ id }) => ({ ...targetOf(config, id, []), spare: true })) : []
  const targets = new Map<string, ProbeTarget>()
  for (const target of [...named, ...own]) {
    const key = keyOf(target)
    const known = targets.get(key)
    targets.set(key, known === undefined ? target : { ...known, uses: [...known.uses, ...target.uses] })
  }
  return [...targets.values()]
}

/** The one model a name means: a Claude family stands for its tier here too, but ROUTER_* rules do not apply. */
export function targetNamed(config: Config, name: string): ProbeTarget {
  const router = { default: undefined, background: undefined, think: undefined, longContext: undefined }
  const { model } = pickModel({ ...config, router }, name.trim(), {}, () => null)
  const meant = model === "" ? name.trim() : model
  const known = targetsOf(config, false).find((target) => target.name === meant)
  return known ?? targetOf(config, meant, [])
}

// Where Anthropic answers for its own models no tier has a name: the smallest one will do.
const anthropicModel = "claude-haiku-5-5"

function usedModels({ tiers, router }: Config): readonly { readonly use: Use; readonly name: string }[] {
  const names: Readonly<Record<Use, string | undefined>> = {
    big: tiers.big || anthropicModel,
    middle: tiers.middle || anthropicModel,
    small: tiers.small || anthropicModel,
    default: router.default,
    background: router.background,
    think: router.think,
    long_context: router.longContext,
  }
  const uses: readonly Use[] = ["big", "middle", "small", "default", "background", "think", "long_context"]
  return uses.flatMap((use) => {
    const name = names[use]
    return name === undefined ? [] : [{ use, name }]
  })
}

function targetOf(config: Config, name: string, uses: readonly Use[]): ProbeTarget {
  const custom = findModel(config, name)
  const [use] = uses
  const usedAs = use === undefined ? undefined : useSettings[use]
  return {
    name,
    uses,
    spare: false,
    resolved: resolveRoute(config, name, { exact: true }),
    addressSetting: upstreamOf(config, name)?.addressSetting,
    modelSetting: custom === undefined ? usedAs : `model_name of ${custom.id} in models.yaml`,
  }
}

/** Where the very model of this name is served; undefined: it cannot be reached. */
export function upstreamOf(config: Config, name: string): Upstream | undefined {
  const custom = findModel(config, name)
  if (custom !== undefined) return custom.reach.ok ? custom.reach.upstream : undefined
  const { row } = splitName(config, name)
  return (row === undefined ? undefined : config.others[row.id]) ?? config.upstream
}

/** Models are the same when everything is that makes their requests: what is sent, and where. */
function keyOf({ name, resolved }: ProbeTarget): string {
  if (!resolved.ok) return name
  const { url, model, keyName, headers, profile, defaults, proxy } = resolved.route
  return JSON.stringify([url, model, keyName, headers, profile, defaults, proxy?.url])
}
