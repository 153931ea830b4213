// What the log says of changed settings: their names and where they stand, what had no effect, what needs a
// restart, and the warnings that are new.

import type { Config } from "../../config/config.ts"
import { type Changes, changesBetween } from "../../config/sources/changes.ts"
import type { Loaded } from "../../config/sources/loaded.ts"
import type { Logger } from "../../observe/log.ts"
import { isLoopback } from "../../protocol/hosts.ts"
import { renderOpen, shownHost } from "../instances/start-block.ts"

export interface Line {
  readonly level: keyof Logger
  readonly text: string
}

interface Circumstances {
  /** What the server was started with, and listens on until it ends. */
  readonly host: string
  readonly port: number
  readonly tls: Config["tls"]
  /** The files were not valid before. */
  readonly refused: boolean
}

/** The lines for a step from one valid configuration to the next; at least one. */
export function renderChanges(before: Loaded, after: Loaded, circumstances: Circumstances): readonly Line[] {
  const changes = changesBetween(before.sources, after.sources)
  const restart = [
    ...restartLines(changes, after, circumstances),
    ...certificateLines(before, after, circumstances),
  ]
  const effective = effectLine(changes, before, after, circumstances)
  const said = [...restart, ...hiddenLines(changes)]
  const fallback: readonly Line[] = said.length === 0 ? [nothingChanged(circumstances.refused)] : []
  return [
    ...(effective === undefined ? fallback : [effective]),
    ...said,
    ...keyLines(before, after, circumstances),
    ...fresh(before.warnings, after.warnings).map((text): Line => ({ level: "warn", text })),
    ...fresh(before.described.infos, after.described.infos).map((text): Line => ({ level: "info", text })),
  ]
}

function nothingChanged(refused: boolean): Line {
  return refused
    ? { level: "info", text: "the settings are valid again, and none has changed" }
    : { level: "debug", text: "the files of settings have changed, but no setting" }
}

function effectLine(
  { settings, models }: Changes,
  before: Loaded,
  after: Loaded,
  circumstances: Circumstances,
): Line | undefined {
  const names = settings
    .filter(({ name }) => !isOfCertificate(name) && !needsRestart(name, after, circumstances))
    .map(({ name, origin }) => `${name} (${origin ?? "not set any more"})`)
  const parts: string[] = [
    ...(names.length === 0 ? [] : [names.join(", ")]),
    ...(models.length === 0 ? [] : [`models.yaml: ${models.join(", ")}`]),
  ]
  const { host, port, tls } = before.config
  const isOther = !Bun.deepEquals(before.config, { ...after.config, host, port, tls })
  // What has no name of its own, or stands in a file that a setting names.
  if (parts.length === 0 && isOther) parts.push(...changedFiles(before, after))
  return parts.length === 0 ? undefined : { level: "info", text: `settings changed: ${parts.join("; ")}` }
}

function changedFiles(before: Loaded, after: Loaded): readonly string[] {
  const files = [...after.seen].filter(([path, print]) => before.seen.get(path) !== print)
  return files.map(([path]) => `what ${path} holds`)
}

function needsRestart(name: string, { config }: Loaded, { host, port }: Circumstances): boolean {
  return (name === "HOST" && config.host !== host) || (name === "PORT" && config.port !== port)
}

function restartLines({ settings }: Changes, after: Loaded, circumstances: Circumstances): readonly Line[] {
  const { host, port } = circumstances
  return settings
    .filter(({ name }) => needsRestart(name, after, circumstances))
    .map(({ name, origin }) => ({
      level: "warn",
      text: `${name} (${origin ?? "not set any more"}) needs a restart: until then the proxy listens as before, HOST ${host}, PORT ${port}`,
    }))
}

const isOfCertificate = (name: string): boolean => name === "TLS_CERT" || name === "TLS_KEY"

/** Bun keeps the certificate that a server was started with. */
function certificateLines(before: Loaded, after: Loaded, { tls }: Circumstances): readonly Line[] {
  const next = after.config.tls
  if (Bun.deepEquals(before.config.tls, next) || Bun.deepEquals(tls, next)) return []
  const until = tls === undefined ? "http as before" : "https with the certificate it was started with"
  return [
    { level: "warn", text: `TLS_CERT and TLS_KEY need a restart: until then the proxy serves ${until}` },
  ]
}

function hiddenLines({ hidden }: Changes): readonly Line[] {
  return hidden.map(({ name, origin, winner }) => {
    const stronger = winner === "environment" ? "the environment" : winner
    const text = `${name} (${origin}) has no effect: ${stronger} sets it as well, and counts first`
    return { level: "info", text }
  })
}

function keyLines(before: Loaded, after: Loaded, { host, port }: Circumstances): readonly Line[] {
  if (before.config.clientKeys.length === 0 || after.config.clientKeys.length > 0) return []
  if (isLoopback(host))
    return [{ level: "warn", text: "clients need no key any more: ALLOWED_API_KEYS asks for one" }]
  // With port 0 nobody here knows which one was found.
  const address = port === 0 ? host : `${shownHost(host)}:${port}`
  return [{ level: "error", text: `clients need no key any more: ${renderOpen(address)}` }]
}

/** Those that were not there before, wherever in its file a setting stands by now. */
function fresh(before: readonly string[], after: readonly string[]): readonly string[] {
  const withoutLines = (text: string) => text.replace(/(?::\d+){1,2}(?=\D|$)/g, "")
  const known = new Set(before.map(withoutLines))
  return after.filter((text) => !known.has(withoutLines(text)))
}
