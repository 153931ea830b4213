// Texts made by rule from a seed: what tools answer, logs, data, listings, encoded bytes.
import { createRandom, type Random } from "../support/random.ts"

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n")

const bytes = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.integer(0, 255)))

const nouns = [
  ...["account", "balance", "cache", "customer", "document", "entry", "folder", "header", "index", "invoice"],
  ...["job", "key", "ledger", "message", "node", "order", "payment", "queue", "report", "session", "task"],
  ...[
    "upload",
    "user",
    "version",
    "window",
    "worker",
    "address",
    "alarm",
    "article",
    "backup",
    "bridge",
    "calendar",
  ],
  ...[
    "camera",
    "chapter",
    "city",
    "comment",
    "device",
    "engine",
    "event",
    "field",
    "filter",
    "garden",
    "history",
  ],
  ...["image", "island", "language", "lesson", "library", "market", "memory", "mirror", "module", "network"],
  ...[
    "number",
    "package",
    "picture",
    "planet",
    "player",
    "policy",
    "printer",
    "recipe",
    "region",
    "river",
    "schedule",
  ],
  ...[
    "sensor",
    "signal",
    "station",
    "street",
    "supplier",
    "table",
    "ticket",
    "token",
    "tunnel",
    "vehicle",
    "weather",
  ],
]
const verbs = [
  ...[
    "add",
    "build",
    "check",
    "close",
    "create",
    "fetch",
    "find",
    "load",
    "merge",
    "parse",
    "read",
    "collect",
  ],
  ...["compare", "convert", "delete", "export", "format", "handle", "import", "lookup", "notify", "prepare"],
  ...["refresh", "remove", "render", "resolve", "send", "split", "store", "update", "verify", "write"],
]
const folders = ["src", "lib", "test", "server", "client", "shared", "internal", "utils", "api", "models"]
const endings = ["ts", "py", "go", "rs", "json", "md", "tsx", "java", "yaml", "css"]

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
const noun = (random: Random): string => random.pick(nouns)
const camel = (random: Random): string => random.pick(verbs) + capital(noun(random))
const snake = (random: Random): string => `${random.pick(verbs)}_${noun(random)}`
const path = (random: Random): string =>
  `${random.pick(folders)}/${random.pick(folders)}/${noun(random)}-${noun(random)}.${random.pick(endings)}`
const two = (value: number): string => String(value).padStart(2, "0")
const date = (random: Random): string => `2026-${two(random.integer(1, 12))}-${two(random.integer(1, 28))}`
const time = (random: Random): string =>
  `${two(random.integer(0, 23))}:${two(random.integer(0, 59))}:${two(random.integer(0, 59))}`
const sentence = (random: Random): string =>
  `${capital(random.pick(verbs))} the ${noun(random)} before the ${noun(random)} is ${random.pick(verbs)}ed.`

function log(random: Random): string {
  return lines(40, () => {
    const level = random.pick(["INFO ", "WARN ", "ERROR", "DEBUG"])
    const where = random.pick(["http.server", "db.pool", "auth", "queue-worker-3"])
    const what = random.pick([
      `request ${bytes(random, 6).toString("hex")} finished in ${random.integer(1, 4000)}ms status=200`,
      `connection to 10.0.${random.integer(0, 255)}.${random.integer(0, 255)}:5432 refused, retrying`,
      `user_id=${random.integer(1000, 99999)} session expired after ${random.integer(10, 90)} minutes`,
      "cache miss, falling back to the primary store",
    ])
    return `${date(random)}T${time(random)}.123Z ${level} [${where}] ${what}`
  })
}

function trace(random: Random): string {
  return lines(6, () => {
    const frames = lines(
      7,
      () =>
        `    at ${camel(random)} (/app/${path(random)}:${random.integer(1, 900)}:${random.integer(1, 80)})`,
    )
    return `TypeError: Cannot read properties of undefined (reading '${noun(random)}')\n${frames}\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)\n`
  })
}

function json(random: Random, indent: number): string {
  const results = Array.from({ length: 24 }, (_, index) => ({
    id: random.integer(1, 1_000_000),
    path: path(random),
    matches: Array.from({ length: 2 }, () => ({
      line: random.integer(1, 900),
      column: random.integer(1, 80),
      text: random.pick([
        "return undefined",
        'throw new Error("not found")',
        `const ${noun(random)} = ${camel(random)}()`,
      ]),
    })),
    isBinary: random.chance(0.2),
    owner: index % 3 === 0 ? null : `${noun(random)}_team`,
    modifiedAt: `${date(random)}T${time(random)}.000Z`,
    score: Number(random.next().toFixed(4)),
  }))
  return JSON.stringify({ type: "tool_result", results, truncated: false }, null, indent)
}

/** Objects as an API lists them: keys of several words, addresses, nested settings. */
function apiJson(random: Random): string {
  const items = Array.from({ length: 16 }, () => ({
    object: noun(random),
    id: `${noun(random).slice(0, 3)}_${bytes(random, 9).toString("base64url")}`,
    created: random.integer(1_700_000_000, 1_790_000_000),
    display_name: `${capital(noun(random))} ${capital(noun(random))}`,
    description: sentence(random),
    html_url: `https://example.test/${noun(random)}s/${random.integer(1, 9999)}`,
    labels: Array.from({ length: 3 }, () => ({
      name: noun(random),
      color: bytes(random, 3).toString("hex"),
    })),
    settings: { max_retries: random.integer(0, 9), timeout_seconds: random.integer(5, 300), enabled: true },
    amount: { currency: "EUR", value: (random.next() * 500).toFixed(2) },
  }))
  return JSON.stringify({ object: "list", data: items, has_more: true })
}

function schemaJson(random: Random): string {
  const tools = Array.from({ length: 8 }, () => ({
    name: snake(random),
    description: `${sentence(random)} ${sentence(random)}`,
    input_schema: {
      type: "object",
      properties: Object.fromEntries(
        Array.from({ length: 4 }, () => [
          `${noun(random)}_${random.pick(["id", "name", "path", "limit"])}`,
          { type: random.pick(["string", "integer", "boolean"]), description: sentence(random) },
        ]),
      ),
      required: [`${noun(random)}_id`],
      additionalProperties: false,
    },
  }))
  return JSON.stringify(tools)
}

const grep = (random: Random): string =>
  lines(40, () => {
    const what = random.pick([
      `  const ${noun(random)} = await ${camel(random)}(${noun(random)}, options)`,
      `def ${snake(random)}(self, ${noun(random)}: str) -> None:`,
      `if (${noun(random)} === undefined) return ${camel(random)}(${noun(random)}.${noun(random)})`,
      `\tfunc (s *Server) ${capital(camel(random))}(ctx context.Context) error {`,
    ])
    return `${path(random)}:${random.integer(1, 1200)}:${what}`
  })

const listing = (random: Random): string =>
  lines(40, () => {
    const size = String(random.integer(10, 9_999_999)).padStart(8)
    const mode = random.pick(["-rw-r--r--", "drwxr-xr-x", "-rwxr-xr-x"])
    return `${mode}  1 root root ${size} ${random.pick(["Jan", "May", "Nov"])} ${two(random.integer(1, 28))} ${time(random).slice(0, 5)} ${noun(random)}_${noun(random)}.${random.pick(endings)}`
  })

function numbered(random: Random): string {
  let depth = 0
  return lines(60, (index) => {
    depth = Math.max(0, Math.min(3, depth + random.integer(-1, 1)))
    const what = random.pick([
      `const ${noun(random)} = ${camel(random)}(${noun(random)}, ${random.integer(0, 99)})`,
      `if (${noun(random)}.${noun(random)} !== undefined) {`,
      `return { ...${noun(random)}, ${noun(random)}: ${camel(random)}(${noun(random)}) }`,
      `// ${sentence(random)}`,
      `export function ${camel(random)}(${noun(random)}: ${capital(noun(random))}): boolean {`,
      "}",
      "",
    ])
    return `${String(index + 1).padStart(6)}→${"  ".repeat(depth)}${what}`
  })
}

const python = (random: Random): string =>
  lines(8, () => {
    const name = noun(random)
    return [
      `def ${snake(random)}(${name}, *, limit=${random.integer(1, 500)}, strict=False):`,
      `    """${sentence(random)}"""`,
      `    ${noun(random)}s = [x for x in ${name}.${noun(random)}s if x is not None and len(x) > ${random.integer(0, 9)}]`,
      `    if not ${noun(random)}s:`,
      `        raise ValueError(f"no ${noun(random)} in {${name}!r}")`,
      `    with open(os.path.join(self.root, "${noun(random)}.json"), "w", encoding="utf-8") as handle:`,
      `        json.dump({"${noun(random)}": ${name}, "count": len(${noun(random)}s)}, handle, indent=2)`,
      `    return self.${snake(random)}(${noun(random)}s[:limit])`,
      "",
    ].join("\n")
  })

const yaml = (random: Random): string =>
  lines(14, () =>
    [
      `  - name: ${noun(random)}-${noun(random)}`,
      `    image: registry.example.test/${noun(random)}:${random.integer(1, 9)}.${random.integer(0, 20)}`,
      `    command: ["/bin/sh", "-c", "${random.pick(verbs)} --${noun(random)}=${random.integer(1, 99)}"]`,
      "    env:",
      `      ${noun(random).toUpperCase()}_${noun(random).toUpperCase()}: "${random.integer(1, 9999)}"`,
      "    resources:",
      `      limits: { cpu: ${random.integer(1, 8)}00m, memory: ${random.integer(1, 64) * 32}Mi }`,
    ].join("\n"),
  )

function diff(random: Random): string {
  return lines(6, () => {
    const file = path(random)
    const head = `diff --git a/${file} b/${file}\nindex ${bytes(random, 4).toString("hex")}..${bytes(random, 4).toString("hex")} 100644\n--- a/${file}\n+++ b/${file}`
    const at = random.integer(1, 400)
    const body = lines(9, () => {
      const mark = random.pick([" ", " ", "+", "-"])
      return `${mark}  const ${noun(random)} = ${camel(random)}(${noun(random)}.${noun(random)})`
    })
    return `${head}\n@@ -${at},7 +${at},9 @@ export function ${camel(random)}() {\n${body}`
  })
}

const csv = (random: Random): string =>
  `id,date,${noun(random)},${noun(random)}_total,status\n${lines(
    45,
    (index) =>
      `${1000 + index},${date(random)},${capital(noun(random))} ${noun(random)},${(random.next() * 900).toFixed(2)},${random.pick(["open", "paid", "void"])}`,
  )}`

const tests = (random: Random): string =>
  lines(45, () =>
    random.chance(0.9)
      ? `(pass) ${noun(random)} > ${sentence(random).toLowerCase()} [${(random.next() * 20).toFixed(2)}ms]`
      : `(fail) ${noun(random)} > ${camel(random)}\n  expect(received).toBe(expected)\n  Expected: ${random.integer(0, 99)}\n  Received: undefined`,
  )

const minified = (random: Random): string =>
  Array.from(
    { length: 30 },
    () =>
      `function ${random.pick(["a", "b", "e", "n", "t"])}(e,t){return e.${noun(random)}?t.${camel(random)}(e,${random.integer(0, 9)}):void 0!==t&&(e.${noun(random)}=t),!0}`,
  ).join("")

const hex = (random: Random): string => lines(40, () => bytes(random, 20).toString("hex"))
const numbers = (random: Random): string =>
  lines(60, () => Array.from({ length: 6 }, () => (random.next() * 2000 - 1000).toFixed(2)).join(","))
/** Random bytes, some of them with the rows of zeros that programs and pictures have. */
const base64 = (random: Random): string =>
  Buffer.concat(
    Array.from({ length: 12 }, () =>
      random.chance(0.3) ? Buffer.alloc(random.integer(10, 80)) : bytes(random, 180),
    ),
  ).toString("base64")
const padding = (random: Random): string =>
  lines(
    60,
    () =>
      `${noun(random)}${random.pick(["x", "a", "A", "_", ".", "-", "=", "0"]).repeat(random.integer(20, 120))}`,
  )

/** By class. */
export const generators: Readonly<Record<string, (random: Random) => string>> = {
  log,
  "stack trace": trace,
  "test report": tests,
  "json, compact": (random) => json(random, 0),
  "json, indented": (random) => json(random, 2),
  "json of an API": apiJson,
  "json schemas": schemaJson,
  "search results": grep,
  "folder listing": listing,
  "numbered source": numbered,
  "python, generated": python,
  minified,
  yaml,
  "diff, generated": diff,
  csv,
  base64,
  hex,
  numbers,
  padding,
}

/** The text of a class that a seed stands for. */
export function generate(name: string, seed: number): string {
  const make = generators[name]
  if (make === undefined) throw new Error(`no generator of ${name}`)
  return make(createRandom(seed))
}
