// What can be tested: each of the configured models once, with everything that stands for it.
import type { Config, Upstream } from "../../config/config.ts"
import { findModel, pickModel, splitName } from "../../config/routes/pick.ts"
import { type Resolved, resolveRoute } from "../../config/routes/route.ts"
import { familyModels } from "../../config/settings/slots.ts"

/** What a model may stand for. */
export type Use = "big" | "middle" | "small" | "default" | "background" | "think" | "long_context"

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
  const named = usedModels(config).map(({ use, name, setting }) => ({
    ...targetOf(config, name, setting),
    uses: [use],
  }))
  const own = all ? config.models.map(({ id }) => ({ ...targetOf(config, id), spare: true })) : []
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
  return known ?? targetOf(config, meant)
}

// Where Anthropic answers for its own models no tier has a name: the smallest one will do.
const anthropicModel = "claude-haiku-5-5"

interface UsedModel {
  readonly use: Use
  readonly name: string
  readonly setting: string
}

/** Where a route takes all requests of a family, nothing leads to the family's tier. */
function usedModels(config: Config): readonly UsedModel[] {
  const { router } = config
  const lead = familyModels(config)
  const rest = router.default === undefined ? undefined : "ROUTER_DEFAULT"
  const background = router.background === undefined ? undefined : "ROUTER_BACKGROUND"
  const named: readonly (readonly [Use, string | undefined, string])[] = [
    ["big", lead.big || anthropicModel, rest ?? "BIG_MODEL"],
    ["middle", lead.middle || anthropicModel, rest ?? "MIDDLE_MODEL"],
    ["small", lead.small || anthropicModel, background ?? "SMALL_MODEL"],
    ["default", router.default, "ROUTER_DEFAULT"],
    ["background", router.background, "ROUTER_BACKGROUND"],
    ["think", router.think, "ROUTER_THINK"],
    ["long_context", router.longContext, "ROUTER_LONG_CONTEXT"],
  ]
  return named.flatMap(([use, name, setting]) => (name === undefined ? [] : [{ use, name, setting }]))
}

/** `setting`: the one that names it. */
function targetOf(config: Config, name: string, setting?: string): ProbeTarget {
  const custom = findModel(config, name)
  return {
    name,
    uses: [],
    spare: false,
    resolved: resolveRoute(config, name, { exact: true }),
    addressSetting: upstreamOf(config, name)?.addressSetting,
    modelSetting: custom === undefined ? setting : `model_name of ${custom.id} in models.yaml`,
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
