// The settings that name models: Claude's families as tiers, and the routes of a request by its content.
import type { Router, Tiers } from "../config.ts"
import type { SettingName } from "./settings.ts"
import type { Values } from "./values.ts"

export const tierSlots = [
  ["big", "BIG_MODEL"],
  ["middle", "MIDDLE_MODEL"],
  ["small", "SMALL_MODEL"],
] as const satisfies readonly (readonly [keyof Tiers, SettingName])[]

export const routerSlots = [
  ["default", "ROUTER_DEFAULT"],
  ["background", "ROUTER_BACKGROUND"],
  ["think", "ROUTER_THINK"],
  ["longContext", "ROUTER_LONG_CONTEXT"],
] as const satisfies readonly (readonly [keyof Router, SettingName])[]

/** Routing by names alone. */
export const noRouter: Router = {
  default: undefined,
  background: undefined,
  think: undefined,
  longContext: undefined,
}

/** What ROUTER_* says. */
export function routerOf(values: Values): Router {
  const pairs = routerSlots.map(([slot, name]) => [slot, values.get(name)?.value] as const)
  return { ...noRouter, ...Object.fromEntries(pairs) }
}

/** Does the content of a request count? */
export function inUse(router: Router): boolean {
  return Object.values(router).some((slot) => slot !== undefined)
}

/** What each family of Claude's leads to: a route that takes all its requests stands before its tier. */
export function familyModels({ tiers, router }: Readonly<{ tiers: Tiers; router: Router }>): Tiers {
  return {
    big: router.default ?? tiers.big,
    middle: router.default ?? tiers.middle,
    small: router.background ?? tiers.small,
  }
}

/** What the settings name, the ones that a default is most likely meant by first. */
export function namedModels(
  values: Values,
): readonly { readonly setting: SettingName; readonly model: string }[] {
  const order = ["BIG_MODEL", "ROUTER_DEFAULT"] as const
  const rest = [...tierSlots, ...routerSlots].map(([, name]) => name)
  return [...new Set([...order, ...rest])].flatMap((setting) => {
    const model = values.get(setting)?.value
    return model === undefined ? [] : [{ setting, model: model.replace(/^custom\//, "") }]
  })
}
