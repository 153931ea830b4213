// The models that can be asked for, in the shape of Anthropic's models API.
import type { Config } from "../../config/config.ts"
import { discoverable, findModel, splitName } from "../../config/routes/pick.ts"
import { resolvePlace, resolveRoute } from "../../config/routes/route.ts"
import { familyModels } from "../../config/settings/slots.ts"
import { decoded } from "../../config/settings/values.ts"
import { fault, invalidRequest } from "../../protocol/fault.ts"
import type { BaseContext } from "../context.ts"
import { faultReply, jsonReply } from "../http/respond.ts"

interface ModelInfo {
  readonly type: "model"
  readonly id: string
  readonly display_name: string
  readonly created_at: string
  readonly max_input_tokens: number | null
  readonly max_tokens: number | null
  readonly capabilities: null
  readonly deprecated_at: null
  readonly retires_at: null
  readonly lifecycle: "active"
  readonly line: string | null
}

// Claude Code's model discovery keeps only ids that begin so: each tier has an alias, and what none of them leads to
// gets the prefix.
const shown = /^(claude|anthropic)/i

const aliases = [
  { id: "claude-opus-5-5", tier: "big", line: "opus" },
  { id: "claude-sonnet-5-5", tier: "middle", line: "sonnet" },
  { id: "claude-haiku-5-5", tier: "small", line: "haiku" },
] as const

function listModels(context: BaseContext): readonly ModelInfo[] {
  const { tiers, router, models: own } = context.config
  const lead = familyModels(context.config)
  const named = aliases.map(({ id, tier, line }) =>
    // Without a name it is passed on as it is.
    modelInfo(context, id, lead[tier] === "" ? id : `${lead[tier]} (${line})`, line),
  )
  const routed = Object.values(router).filter((name) => name !== undefined)
  const reachable = own.filter(({ reach }) => reach.ok).map(({ id }) => id)
  const names = new Set([...Object.values(tiers), ...routed, ...reachable])
  for (const id of ["", ...aliases.map((alias) => alias.id)]) names.delete(id)
  const direct = [...names].map((id) => modelInfo(context, id, id, null))
  const led = new Set<string>(Object.values(lead))
  const hidden = [...new Set([...routed, ...reachable])].filter((id) => !led.has(id) && !shown.test(id))
  const more = hidden.map((id) => modelInfo(context, `${discoverable}${id}`, id, null))
  return [...named, ...direct, ...more]
}

function modelInfo(context: BaseContext, id: string, display_name: string, line: string | null): ModelInfo {
  const resolved = resolveRoute(context.config, id)
  const profile = resolved.ok ? resolved.route.profile : undefined
  return {
    type: "model",
    id,
    display_name,
    created_at: "2026-01-01T00:00:00Z",
    max_input_tokens: profile?.contextWindow ?? null,
    max_tokens: profile?.maxOutputTokens ?? null,
    capabilities: null,
    deprecated_at: null,
    retires_at: null,
    lifecycle: "active",
    line,
  }
}

/** GET /v1/models with Anthropic's pagination: `limit`, `after_id`, `before_id`; other queries are ignored. */
export function models(url: URL, context: BaseContext, requestId: string): Response {
  const all = listModels(context)
  const limit = Number(url.searchParams.get("limit") ?? 20)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    return faultReply(invalidRequest("limit: must be a whole number from 1 to 1000"), requestId)
  const after = all.findIndex((model) => model.id === url.searchParams.get("after_id"))
  const before = all.findIndex((model) => model.id === url.searchParams.get("before_id"))
  const end = before < 0 ? all.length : before
  const start = before < 0 ? after + 1 : Math.max(0, before - limit)
  const data = all.slice(start, Math.min(end, start + limit))
  const hasMore = before < 0 ? start + data.length < all.length : start > 0
  return jsonReply(
    { data, has_more: hasMore, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null },
    requestId,
  )
}

/** GET /v1/models/{id}, `id` as it stands in the URL: any name that a request could name. */
export function model(encoded: string, context: BaseContext, requestId: string): Response {
  const id = decoded(encoded)
  const known = listModels(context).find((candidate) => candidate.id === id)
  if (known !== undefined) return jsonReply(known, requestId)
  const line = /haiku|sonnet|opus|fable|mythos/i.exec(id)?.[0].toLowerCase() ?? null
  if (line !== null || /^claude/i.test(id) || isPlain(context.config, id))
    return jsonReply(modelInfo(context, id, id, line), requestId)
  return faultReply(fault({ kind: "not_found_error", source: "client", message: `model: ${id}` }), requestId)
}

/** Does a name say itself where it leads? Any other may be a model of the upstream's, or of nobody. */
function isPlain(config: Config, id: string): boolean {
  const { row } = splitName(config, id)
  const isOwn = findModel(config, id) !== undefined
  if (row === undefined && !isOwn) return false
  const place = resolvePlace(config, id)
  return place.ok && (isOwn || place.upstream.row.id === row?.id)
}
