// The walls between the rooms of src, judged from the text alone: who may import whom, and which words a
// room may not say. Every function takes a file and gives back what is wrong with it.
import { dirname, join } from "node:path/posix"

export interface SourceFile {
  /** Below src, with forward slashes. */
  readonly path: string
  readonly text: string
}

interface Import {
  readonly specifier: string
  /** Nothing of it is left at run time. */
  readonly types: boolean
}

interface Room {
  /** Rooms below it; `room:type` means its types only. */
  readonly rooms: readonly string[]
  /** Packages; `node:` stands for every module of the platform. */
  readonly packages: readonly string[]
}

const below = ["protocol", "providers", "convert", "tokens", "config", "store", "observe", "upstream"]
const everything = [...below, "config/load", "server", "commands"]

const rooms: Readonly<Record<string, Room>> = {
  cli: { rooms: everything, packages: ["citty", "picocolors", "zod", "node:"] },
  commands: { rooms: everything, packages: ["citty", "picocolors", "zod", "node:"] },
  server: { rooms: below, packages: ["zod", "node:", "bun:jsc"] },
  upstream: { rooms: ["protocol", "providers", "store", "observe:type"], packages: ["node:"] },
  "config/load": { rooms: ["config", "protocol", "providers"], packages: ["yaml", "zod", "node:"] },
  observe: { rooms: ["protocol", "providers:type"], packages: ["picocolors", "node:"] },
  store: { rooms: ["protocol", "observe:type"], packages: ["bun:sqlite", "node:"] },
  convert: { rooms: ["protocol", "providers"], packages: [] },
  tokens: { rooms: ["protocol"], packages: ["js-tiktoken"] },
  config: { rooms: ["protocol", "providers"], packages: ["zod"] },
  providers: { rooms: ["protocol"], packages: [] },
  protocol: { rooms: [], packages: ["zod"] },
}

interface Building {
  /** From the ground up: each imports only those before it. */
  readonly floors: readonly string[]
  /** Files beside the folders that every floor may import. */
  readonly stairs: readonly string[]
}

/** The rooms that are divided into folders. */
const buildings: Readonly<Record<string, Building>> = {
  server: {
    floors: [
      ...["common", "http", "entrance", "heap", "keys", "learned", "course", "outcome", "figures", "request"],
      ...["reply", "flights", "cache", "direct", "answer", "endpoints", "probe"],
    ],
    stairs: ["server/context.ts"],
  },
  config: {
    floors: ["settings", "network", "models", "upstreams", "routes", "sources", "load"],
    stairs: ["config/config.ts"],
  },
  protocol: {
    floors: ["messages", "chat", "errors"],
    stairs: ["byte-text", "fault", "json", "json-spans", "redact", "sse", "texts"].map(
      (name) => `protocol/${name}.ts`,
    ),
  },
  convert: {
    floors: [
      ...["common", "task", "schema", "dialogue", "request", "amend", "direct", "tool-calls", "text-calls"],
      ...["reader", "filters", "writer", "reply", "reverse"],
    ],
    stairs: [],
  },
  commands: {
    floors: [
      ...["terminal", "command-line", "common", "instances", "models", "run", "stats", "health", "serve"],
      ...["init", "convert", "count-tokens", "test-connection", "bench", "demo", "entries"],
    ],
    stairs: [],
  },
}

/** The room a file belongs to; undefined when it stands in the corridor. */
export function roomOf(path: string): string | undefined {
  if (path === "cli.ts") return "cli"
  if (path.startsWith("config/load/")) return "config/load"
  const room = path.split("/")[0] ?? ""
  return path.includes("/") && Object.hasOwn(rooms, room) ? room : undefined
}

// One alternative per thing that is not code: comments, strings, templates, and regular expressions where a
// value may begin.
const notCode =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<=[(,=:[!&|?{};+\-*%<>~^]\s*|\breturn\s+)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g

/** The text with comments, strings and regular expressions emptied; what templates compute stays. */
export function codeOf(text: string): string {
  return text.replace(notCode, (match) => {
    const lines = "\n".repeat(match.split("\n").length - 1)
    if (match.startsWith("`"))
      return `\`${[...match.matchAll(/\$\{([^}]*)\}/g)].map((part) => part[1]).join(" ")}${lines}\``
    if (match.startsWith("/")) return lines === "" ? " " : lines
    return '""'
  })
}

/** Every module a file names, in `import`, `export … from` and `import(…)`. */
export function importsOf(text: string): readonly Import[] {
  const code = text.replace(notCode, (match) => (/^\/[/*]/.test(match) ? " " : match))
  const statements = code.matchAll(
    /^(?:import|export)\s+(?:((?:type\s+)?(?:\w+\s*,\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?|\w+))\s+from\s+)?"([^"]+)"/gm,
  )
  const expressions = code.matchAll(/(\bawait\s+)?\bimport\(\s*"([^"]+)"\s*\)(\.[A-Z]\w*)?/g)
  return [
    ...[...statements].map(([, names = "", specifier = ""]) => ({ specifier, types: onlyTypes(names) })),
    ...[...expressions].map(([, awaited, specifier = "", member]) => ({
      specifier,
      types: awaited === undefined && member !== undefined,
    })),
  ]
}

function onlyTypes(names: string): boolean {
  if (/^type\s/.test(names)) return true
  const named = /^\{([^}]*)\}\s*$/
    .exec(names)?.[1]
    ?.split(",")
    .map((name) => name.trim())
    .filter(Boolean)
  return named?.every((name) => name.startsWith("type ")) ?? false
}

/** The file an import of a file means; undefined for a package. */
function targetOf(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? join(dirname(from), specifier) : undefined
}

/** Imports that go up, across a wall, or to a package this room has no use for. */
export function checkImports(file: SourceFile): readonly string[] {
  const room = roomOf(file.path)
  const rule = room === undefined ? undefined : rooms[room]
  if (room === undefined || rule === undefined) return ["stands in no room"]
  return importsOf(file.text).flatMap(({ specifier, types }): readonly string[] => {
    const target = targetOf(file.path, specifier)
    if (target === undefined) return mayUsePackage(rule, specifier) ? [] : [`may not use ${specifier}`]
    const other = roomOf(target)
    if (other === undefined)
      return target === "../package.json" && /^(?:cli|commands)$/.test(room)
        ? []
        : [`no such room: ${specifier}`]
    const allowed =
      other === room || rule.rooms.includes(other) || (types && rule.rooms.includes(`${other}:type`))
    return allowed ? [] : [`may not import ${specifier}`]
  })
}

function mayUsePackage(rule: Room, specifier: string): boolean {
  return rule.packages.some((name) =>
    name === "node:"
      ? specifier.startsWith("node:") || specifier === "bun"
      : specifier === name || specifier.startsWith(`${name}/`),
  )
}

/** Circles of imports, types included: each once, as the paths one passes. */
export function findCycles(files: readonly SourceFile[]): readonly string[] {
  const targets = new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(text).flatMap(({ specifier }) => targetOf(path, specifier) ?? []),
    ]),
  )
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) cycles.push([...trail.slice(at), path].join(" -> "))
    if (at >= 0 || done.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return cycles
}

/** The building and the floor that a file stands on; undefined where there are none. */
function floorOf(path: string): readonly [Building, string, string] | undefined {
  const [room = "", floor = "", ...rest] = path.split("/")
  const building = Object.hasOwn(buildings, room) ? buildings[room] : undefined
  return building === undefined || rest.length === 0 ? undefined : [building, room, floor]
}

/** What a file of a divided room imports of its folders above. */
export function checkFloors({ path, text }: SourceFile): readonly string[] {
  const place = floorOf(path)
  if (place === undefined) return []
  const [{ floors, stairs }, room, floor] = place
  if (!floors.includes(floor)) return [`is in no known floor: ${floor}`]
  return importsOf(text).flatMap(({ specifier }) => {
    const target = targetOf(path, specifier)
    if (target === undefined || stairs.includes(target) || !target.startsWith(`${room}/`)) return []
    const at = floors.indexOf(floorOf(target)?.[2] ?? "")
    return at >= 0 && at <= floors.indexOf(floor) ? [] : [`may not import ${specifier}`]
  })
}
