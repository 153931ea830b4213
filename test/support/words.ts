// Words a file of src may not say, by where it stands.
import { codeOf, roomOf, type SourceFile } from "./walls.ts"

interface Ban {
  readonly name: string
  readonly pattern: RegExp
  /** Where it is forbidden; default: everywhere. */
  readonly where?: (path: string) => boolean
}

const pure = (path: string): boolean =>
  ["protocol", "providers", "convert", "tokens"].includes(roomOf(path) ?? "")
const atTheDoor = (path: string): boolean => ["cli", "commands"].includes(roomOf(path) ?? "")
const knowsProviders = (path: string): boolean => /^(providers|config)\//.test(path)

/** A global by this name, not a property or a part of another name. */
function globalName(name: string): RegExp {
  return new RegExp(String.raw`(?<![.\w$])${name.replace(".", String.raw`\s*\.\s*`)}(?![\w$])`)
}

const worldly = [
  ...["fetch", "Bun", "process", "console", "Date", "Math.random", "crypto", "performance"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "globalThis"],
]

const bans: readonly Ban[] = [
  ...worldly.map((name) => ({ name, pattern: globalName(name), where: pure })),
  // The tokenizer is loaded when it is first needed, so its counts have to be waited for.
  { name: "await", pattern: /\bawait\b/, where: (path) => pure(path) && path !== "tokens/count.ts" },
  { name: "a module's let", pattern: /^(?:export\s+)?(?:let|var)\s/m },
  { name: "any", pattern: /:\s*any\b(?!\s*[:(])|\bas\s+any\b|<any\b|\bany\[\]/ },
  { name: "a cast", pattern: /(?<![.\w])as\s+(?!const\b)/ },
  { name: "a non-null !", pattern: /[\w$)\]]!(?!=)/ },
  { name: "export default", pattern: /\bexport\s+default\b/ },
  { name: "export *", pattern: /\bexport\s+(?:type\s+)?\*/ },
  { name: "a class", pattern: /^\s*(?:export\s+)?(?:abstract\s+)?class\s/m },
  { name: "console", pattern: globalName("console"), where: (path) => !atTheDoor(path) },
  {
    name: "the environment",
    pattern: /\b(?:process|Bun|import\s*\.\s*meta)\s*\.\s*env\b/,
    where: (path) => path !== "cli.ts" && path !== "config/load/load.ts",
  },
  { name: "process.exit", pattern: globalName("process.exit"), where: (path) => path !== "cli.ts" },
  {
    name: "a provider's name",
    pattern: /\bprovider\s*[!=]==?|\bbaseUrl\s*\.\s*(?:includes|startsWith|endsWith|indexOf|match)\b/i,
    where: (path) => !knowsProviders(path),
  },
]

/** Only imports and re-exports may rename with `as`. */
function withoutRenames(code: string): string {
  return code.replace(/^(?:import|export)\s+(?:type\s+)?(?:\{[^}]*\}|\*\s+as\s+\w+)\s*from/gm, "")
}

/** The forbidden words a file says, and whether it is too long to be read in one go. */
export function checkWords(file: SourceFile): readonly string[] {
  const code = codeOf(file.text)
  const unnamed = withoutRenames(code)
  const said = bans
    .filter(({ where = () => true }) => where(file.path))
    .filter(({ name, pattern }) => pattern.test(name === "a cast" ? unnamed : code))
    .map(({ name }) => `says ${name}`)
  const lines = file.text.trimEnd().split("\n").length
  return lines > 250 ? [...said, `has ${lines} lines`] : said
}
