// What to do about a failure: one table, from what was said and what a further look has shown to one line.
import { type Facts, widening } from "./facts.ts"
import type { Look } from "./look.ts"
import { nearModels } from "./names.ts"

export interface Advice {
  readonly when: (facts: Facts) => boolean
  /** Worth looking at before anything is said. */
  readonly look?: Look
  readonly say: (facts: Facts) => string
  /** No other request to this model would fare better. */
  readonly final?: true
}

const says =
  (words: RegExp) =>
  ({ failure }: Facts) =>
    words.test(failure.message)
const is =
  (...types: readonly string[]) =>
  ({ failure }: Facts) =>
    types.includes(failure.type)

// Our own words for what happens below HTTP (upstream/connection.ts and http.ts).
const noEndpoint = /has no such endpoint/
const page = /with an HTML page instead of/

const noKey = ({ keyName, model }: Facts) => `set ${keyName}: ${model} needs it, and it is not set`

// The first row that applies counts.
export const advices: readonly Advice[] = [
  {
    // What is said of TLS holds behind a proxy too.
    when: ({ failure, proxySetting }) =>
      proxySetting !== undefined &&
      failure.message.includes(`(${proxySetting})`) &&
      !/TLS/.test(failure.message),
    say: ({ proxySetting, host }) =>
      `${proxySetting} leads through a proxy that does not let this pass: check it, or add ${host} to NO_PROXY`,
    final: true,
  },
  {
    when: (facts) =>
      is("authentication_error", "permission_error")(facts) && !facts.hasKey && facts.keyName !== "",
    say: noKey,
    final: true,
  },
  {
    when: (facts) => is("authentication_error", "permission_error")(facts) && !facts.hasKey,
    say: ({ host }) => `${host} wants a key: name the variable that holds it as api_key_name in models.yaml`,
    final: true,
  },
  {
    when: is("authentication_error"),
    say: ({ keyName, keyOrigin, host }) =>
      `${host} refuses the key in ${keyName}${keyOrigin === undefined ? "" : ` (${keyOrigin})`}: check that it is whole, not revoked, and made for this host`,
    final: true,
  },
  {
    when: is("permission_error"),
    say: ({ keyName, host, model }) =>
      `${host} does not allow this to the key in ${keyName}: check that its account may use ${model}, and from here`,
    final: true,
  },
  {
    when: (facts) =>
      facts.azure &&
      (says(noEndpoint)(facts) || is("not_found_error")(facts) || says(/api[- ]?version/i)(facts)),
    say: ({ model, host, rename }) =>
      `on Azure a model is called like its deployment: check that ${host} has a deployment ${JSON.stringify(model)} (else ${rename}), and that AZURE_API_VERSION is one it knows`,
    final: true,
  },
  {
    when: ({ failure }) => noEndpoint.test(failure.message) || page.test(failure.message),
    look: "base",
    say: sayNoApi,
    final: true,
  },
  { when: is("not_found_error"), look: "names", say: sayUnknownModel, final: true },
  { when: says(/redirects to/), say: sayMoved, final: true },
  {
    when: says(/no TLS at/),
    say: ({ address, base, host, proxySetting }) => {
      if (address !== undefined)
        return `${address} should begin with http://: ${base.replace(/^https:/, "http:")}`
      const between = proxySetting === undefined ? "" : `, as ${proxySetting} says`
      return `check what answers for ${host} here, if a proxy stands in the way${between}`
    },
    final: true,
  },
  {
    when: says(/plain HTTP request was sent to HTTPS port|client sent an HTTP request to an HTTPS server/i),
    say: sayHttps,
    final: true,
  },
  {
    when: says(/not valid today/),
    say: ({ host }) =>
      `check the clock of this machine; if it is right, the certificate of ${host} has to be renewed`,
    final: true,
  },
  {
    when: says(/certificate is for another host/),
    say: ({ address, host }) =>
      address === undefined
        ? `check what answers for ${host} here: it has no certificate for that name`
        : `check the host in ${address}: the server there has no certificate for ${host}`,
    final: true,
  },
  {
    when: says(/no trusted TLS connection/),
    say: ({ host }) =>
      `set NODE_EXTRA_CA_CERTS to a file with the certificate of the authority that ${host} is signed by (of your company's, if it inspects TLS)`,
    final: true,
  },
  {
    when: says(/host was not found/),
    say: ({ address, host }) =>
      address === undefined
        ? `check this machine's network, DNS and VPN: ${host} is where this provider is served`
        : `check the spelling of ${host} in ${address}, and this machine's network and VPN`,
    final: true,
  },
  {
    when: says(/connection refused/),
    say: ({ server, origin, address }) => {
      const start = server === undefined ? "start the server" : `start it (${server.start})`
      return `nothing listens at ${origin}: ${start}${address === undefined ? "" : `, or correct ${address}`}`
    },
    final: true,
  },
  {
    when: ({ failure, base }) =>
      base.startsWith("http:") && /the connection to .* broke/.test(failure.message),
    look: "tls",
    say: (facts) => (facts.sight.tls === true ? sayHttps(facts) : sayBroken(facts)),
    final: true,
  },
  { when: says(/the connection to .* broke|could not be made/), say: sayBroken, final: true },
  {
    when: is("timeout_error"),
    say: ({ server, host }) =>
      server === undefined
        ? `${host} is slow or does not answer: try again, or wait longer with test-connection --timeout SECONDS`
        : "the model may still be loading: try again, or wait longer with test-connection --timeout SECONDS",
    final: true,
  },
  {
    when: is("billing_error"),
    say: ({ host, keyName }) =>
      `the account${keyName === "" ? "" : ` behind ${keyName}`} has no credit or quota left at ${host}: look at its billing`,
    final: true,
  },
  {
    when: is("rate_limit_error"),
    say: ({ host, keyName }) =>
      `${host} takes no more requests for ${keyName === "" ? "now" : `the key in ${keyName} now`}: wait a little, or raise the account's limits`,
    final: true,
  },
  { when: is("overloaded_error"), say: ({ host }) => `${host} is overloaded: try again later`, final: true },
  {
    when: says(/--enable-auto-tool-choice/),
    say: () => "start vllm with --enable-auto-tool-choice and the --tool-call-parser of this model",
  },
  { when: says(/--jinja/), say: () => "start llama-server with --jinja: without it there are no tool calls" },
  {
    when: says(
      /not support(?:ed)? (?:the use of )?tools?\b|support tool use|tool (?:use|calling) is not supported|tools? (?:is|are) not supported/i,
    ),
    say: ({ model, rename }) =>
      `${model} takes no tools here, and Claude Code does its work by them: ${rename} to a model that does`,
  },
  {
    when: says(/prompt is too long/),
    say: ({ model, server }) => `the window of ${model} is too small: ${widening(server)}`,
    final: true,
  },
  {
    when: is("invalid_request_error"),
    say: ({ host, model }) =>
      `${host} refuses the request itself: claude-proxy convert --explain --model ${model} shows what is sent`,
  },
  {
    when: ({ failure }) => failure.status >= 500,
    say: ({ host }) => `${host} has a problem of its own: try again; if it stays, ask whoever runs it`,
  },
  { when: () => true, say: () => "LOG_LEVEL=DEBUG claude-proxy serve tells more of what happens" },
]

function sayHttps({ address, base }: Facts): string {
  return `${address ?? base} should begin with https://: ${base.replace(/^http:/, "https:")}`
}

function sayBroken({ host, address }: Facts): string {
  return address === undefined
    ? `check whether a firewall or a VPN stands in the way to ${host}`
    : `check that ${host} in ${address} is an API, and whether a firewall or a VPN stands in the way`
}

// The provider's own address is no mistake of the user's.
const newer = "see whether there is a newer version of claude-proxy, or try again later"

function sayNoApi({ sight, address, base, failure }: Facts): string {
  if (address === undefined)
    return `${sight.base ?? "nothing"} answers in place of ${base}, where this provider was served: ${newer}`
  if (sight.base !== undefined) return `${address} should be ${sight.base} (it is ${base})`
  const what = page.test(failure.message) ? "a web page" : "no API for chat"
  return `${address} is ${base}, and there is ${what}: look up the base URL of your provider, which mostly ends in /v1`
}

function sayMoved({ failure, address, base: old }: Facts): string {
  const to = /redirects to (https?:\/\/[^\s;]+)/.exec(failure.message)?.[1] ?? ""
  const base = to.replace(/\/(?:chat\/completions|responses|(?:v1\/)?messages)\/?$/, "")
  if (address === undefined) return `${old} is where this provider was served: ${newer}`
  const known = base !== "" && base !== to
  return known ? `${address} should be ${base}` : `set ${address} to the address that it redirects to`
}

const mostListed = 5

function sayUnknownModel({ sight, model, host, rename, server }: Facts): string {
  const { names } = sight
  const name = JSON.stringify(model)
  const get = server?.pull === undefined ? "" : `get it with ${server.pull} ${model}, or `
  if (names === undefined)
    return `${host} has no ${name}: ${get}${rename} to a name that your provider documents`
  if (names.includes(model)) return `${host} lists ${name} and refuses it: check that your account may use it`
  const near = nearModels(model, names)
  if (near.length > 0) return `${host} has no ${name}: ${get}${rename} to ${near.join(" or ")}`
  const more = names.length > mostListed ? ` and ${names.length - mostListed} more` : ""
  return `${host} has no ${name}: ${get}${rename} to one it has: ${names.slice(0, mostListed).join(", ")}${more}`
}
