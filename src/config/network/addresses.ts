// Addresses of upstreams: cleaning what users paste, and building the URL a request goes to.

import type { Dialect } from "../../providers/profile.ts"
import type { ProviderRow } from "../../providers/row.ts"
import { findProvider, providerForUrl } from "../../providers/table.ts"
import type { Upstream } from "../config.ts"
import { decoded, type Read } from "../settings/values.ts"

/** A base URL taken apart: `baseUrl` has neither query nor trailing slash. */
export interface Address {
  readonly url: URL
  readonly baseUrl: string
  readonly query: Readonly<Record<string, string>>
}

const azure = findProvider("azure")

/** The last version of Azure's dated API that is not a preview. */
const azureVersion = "2024-10-21"

// The model inference API counts versions of its own (Azure AI Foundry REST reference, 2024-05-01-preview).
const azureInferenceVersion = "2024-05-01-preview"

/**
 * Reads a base URL as people paste it: with slashes at the end, with /chat/completions, with a query.
 * Refused, with the reason: what is not http(s), and a user name or password in it (`keySetting` says where a
 * key goes instead). The text itself is never in the reason.
 */
export function readBaseUrl(text: string, keySetting = "OPENAI_API_KEY"): Read<Address> {
  const url = URL.parse(text.trim())
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return {
      ok: false,
      why: "is not an http:// or https:// address: write it whole, like https://host.example/v1",
    }
  }
  if (url.username !== "" || url.password !== "") {
    return {
      ok: false,
      why: `holds a user name or password, which would end up in logs: take it out and use ${keySetting}`,
    }
  }
  return {
    ok: true,
    value: { url, baseUrl: `${url.origin}${basePath(url)}`, query: queryOf(url) },
  }
}

function queryOf(url: URL): Address["query"] {
  return url.search === "" ? {} : Object.fromEntries(url.searchParams)
}

function basePath(url: URL): string {
  const path = url.pathname
    .replace(/\/+$/, "")
    .replace(/\/chat\/completions$|\/responses$|(?<=\/v1)\/messages$/, "")
    .replace(/\/+$/, "")
  // Google's own address is the native API; its OpenAI-compatible one lies below it.
  if (url.hostname === "generativelanguage.googleapis.com" && path === "/v1beta") return "/v1beta/openai"
  return path
}

/** The provider behind an address. A deployment path or a set api-version means Azure on any host. */
export function rowForAddress(address: Address, apiVersion: string | undefined): ProviderRow {
  const byHost = providerForUrl(address.url)
  const means = apiVersion !== undefined || pathOf(address.baseUrl).includes("/openai/deployments/")
  return means ? (azure ?? byHost) : byHost
}

/** Also under another name: a provider of models.yaml may have Azure's rules. */
function isAzure(row: ProviderRow): boolean {
  return row.delta === azure?.delta
}

/**
 * The query every request carries: what the user put on the base URL, and Azure's api-version. The v1 API
 * (base path ending in /openai/v1) has no versions and gets one only when it was asked for; Anthropic's own API
 * on Azure has none at all.
 */
export function queryFor(
  row: ProviderRow,
  address: Address,
  apiVersion: string | undefined,
): Address["query"] {
  if (!isAzure(row) || isNative(row, address.baseUrl)) return address.query
  const version = apiVersion ?? usualVersion(address.baseUrl)
  return version === undefined ? address.query : { "api-version": version, ...address.query }
}

function usualVersion(baseUrl: string): string | undefined {
  if (baseUrl.endsWith("/openai/v1")) return undefined
  return baseUrl.endsWith("/models") ? azureInferenceVersion : azureVersion
}

/**
 * Does the address lead to Anthropic's own API? At Anthropic itself, and where the path says so. Any other
 * address may just lack its /v1: `direct: true` must say what is meant.
 */
export function isNative(row: ProviderRow, baseUrl: string): boolean {
  return row.delta.dialect === "messages" || /\/anthropic(\/v1)?$/.test(baseUrl)
}

/** The URL that requests for one model go to in a dialect. */
export function requestUrl(upstream: UrlParts, model: string, dialect: Dialect): string {
  switch (dialect) {
    case "chat":
      return chatUrl(upstream, model)
    case "responses":
      return responsesUrl(upstream)
    case "messages":
      return `${upstream.baseUrl.replace(/\/v1$/, "")}/v1/messages${queryText(upstream)}`
    default:
      return dialect satisfies never
  }
}

/** Azure has its Responses API beside the deployments, with the model in the body. */
function responsesUrl({ row, baseUrl, query }: UrlParts): string {
  if (!isAzure(row) || baseUrl.endsWith("/openai/v1")) return `${baseUrl}/responses${queryText({ query })}`
  const root = baseUrl.replace(/\/models$|\/openai(\/deployments.*)?$/, "")
  const { "api-version": version, ...others } = query
  if (!isTooOld(version)) return `${root}/openai/responses${queryText({ query })}`
  return `${root}/openai/v1/responses${queryText({ query: others })}`
}

/** Dated versions have it from this one on (Aider-AI/aider#4029); the v1 API has no dates. */
const isTooOld = (version = ""): boolean => /^\d{4}-/.test(version) && version < "2025-03-01"

/**
 * At Azure itself, whichever its versions; at a gateway in front of it only where the address says so. There the body
 * names the deployment: one that the address names has to be called like the model.
 */
export function servesResponses({ row, baseUrl }: Pick<Upstream, "row" | "baseUrl">, model: string): boolean {
  if (!isAzure(row) || baseUrl.endsWith("/openai/v1")) return true
  return (deploymentIn(baseUrl) ?? model) === model && providerForUrl(new URL(baseUrl)) === azure
}

/** The deployment that an address at Azure names. */
export function deploymentIn(baseUrl: string): string | undefined {
  const written = /\/openai\/deployments\/([^/?]+)/.exec(baseUrl)?.[1]
  return written === undefined ? undefined : decoded(written)
}

type UrlParts = Pick<Upstream, "row" | "baseUrl" | "query">

function queryText({ query }: Pick<UrlParts, "query">): string {
  const text = new URLSearchParams(query).toString()
  return text === "" ? "" : `?${text}`
}

/** The URL of the chat endpoint for one model: Azure's resource root has a path per deployment. */
export function chatUrl(upstream: UrlParts, model: string): string {
  const deployment = isAzure(upstream.row) ? deploymentPath(upstream.baseUrl, model) : ""
  const base =
    deployment === "" ? upstream.baseUrl : upstream.baseUrl.replace(/\/openai(\/deployments)?$/, "")
  return `${base}${deployment}/chat/completions${queryText(upstream)}`
}

function deploymentPath(baseUrl: string, model: string): string {
  const path = pathOf(baseUrl)
  if (path.includes("/openai/deployments/")) return ""
  // "/models" is the model inference API of Azure AI Foundry: the model goes into the body.
  const isRoot =
    /\/openai(\/deployments)?$/.test(path) || !(path.includes("/openai") || path.endsWith("/models"))
  return isRoot ? `/openai/deployments/${encodeURIComponent(model)}` : ""
}

function pathOf(baseUrl: string): string {
  return new URL(baseUrl).pathname.replace(/\/$/, "")
}
