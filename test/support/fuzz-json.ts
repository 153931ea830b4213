// What can be wrong with a JSON body: fields lost, doubled, swapped and of another type, values that no program
// expects, and bytes that are no JSON any more.
import { isObject } from "../../src/protocol/json.ts"
import type { Random } from "./random.ts"

/** Texts of JSON that JSON.stringify would not write; a string that names one stands for it until then. */
const raw: Readonly<Record<string, string>> = {
  huge: "1e400",
  long: "123456789012345678901234567890",
  tiny: "1e-400",
  minus: "-0",
  low: "-9007199254740993",
  high: '"\\ud83d"',
  lone: '"half \\udc00 of it"',
  nul: '"\\u0000\\u0007\\u2028"',
  deep: `${"[".repeat(3_000)}${"]".repeat(3_000)}`,
  deeper: `${'{"a":'.repeat(12_000)}1${"}".repeat(12_000)}`,
  twice: '{"type":"text","text":"a","type":"image","text":null}',
  proto: '{"__proto__":{"type":"text","text":"a"},"constructor":{"prototype":{"x":1}}}',
  text: `"${"ab ".repeat(4_000)}"`,
  runs: `"${"=".repeat(9_000)}"`,
}
const rawNames = Object.keys(raw)
const rawMark = /"@raw:(\w+)@"/g

const words: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    4096,
    2 ** 53,
    -(2 ** 31),
    "",
    " ",
    "\n",
    "null",
    "0",
    "user",
    "assistant",
  ],
  ...[
    "text",
    "tool_use",
    "tool_result",
    "image",
    "thinking",
    "ephemeral",
    "enabled",
    "auto",
    "system",
    "base64",
  ],
  ...[
    "🎯é漢",
    "\u202e",
    "../../etc/passwd",
    "{{x}}",
    "%s%n",
    "<script>",
    "a".repeat(300),
    "chat",
    "native",
    "responses",
  ],
  ...[
    [],
    {},
    [[]],
    [null],
    [{}],
    { type: null },
    { type: "of-tomorrow" },
    { type: ["text"] },
    { type: "text" },
  ],
]

const keys: readonly string[] = [
  ...[
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "",
    "0",
    "-1",
    "length",
    "type",
    "a.b",
  ],
  ...[
    "é",
    "\u0000",
    "x".repeat(200),
    "stream",
    "model",
    "messages",
    "tools",
    "content",
    "role",
    "cache_control",
  ],
]

function odd(random: Random): unknown {
  const at = random.next()
  if (at < 0.25) return `@raw:${random.pick(rawNames)}@`
  return at < 0.85 ? random.pick(words) : random.json(3)
}

/** A value of another type that may mean the same. */
function retyped(value: unknown, random: Random): unknown {
  if (typeof value === "string")
    return random.pick([[value], { text: value }, Number(value), value.split("")])
  if (typeof value === "number")
    return random.pick([String(value), -value, value * 1e15, value + 0.5, [value]])
  if (Array.isArray(value))
    return random.pick([value[0], Object.fromEntries(value.entries()), [value], JSON.stringify(value)])
  return isObject(value) ? random.pick([[value], JSON.stringify(value), Object.values(value)]) : odd(random)
}

type Entry = readonly [string, unknown]

/** One of what can happen to the fields of an object. */
function changeFields(fields: readonly Entry[], random: Random): readonly Entry[] {
  const at = random.integer(0, fields.length - 1)
  const [name, value]: Entry = fields[at] ?? ["type", "text"]
  const other: Entry = fields[random.integer(0, fields.length - 1)] ?? ["type", 1]
  switch (random.integer(0, 6)) {
    case 0:
      return fields.toSpliced(at, 1)
    case 1:
      return [...fields, [random.pick(keys), odd(random)]]
    case 2:
      return fields.with(at, [random.pick(keys), value])
    case 3:
      return fields.with(at, [name, other[1]])
    case 4:
      return fields.with(at, [name, retyped(value, random)])
    default:
      return fields.with(at, [name, odd(random)])
  }
}

function changeItems(items: readonly unknown[], random: Random): readonly unknown[] {
  const at = random.integer(0, items.length - 1)
  switch (random.integer(0, 6)) {
    case 0:
      return items.toSpliced(at, 1)
    case 1:
      return items.toSpliced(at, 0, items[at])
    case 2:
      return random.shuffle(items)
    case 3:
      return []
    case 4:
      return items.toSpliced(at, 0, odd(random))
    case 5:
      return items.length > 8 ? items : Array.from({ length: 20 }, () => items[at])
    default:
      return items.with(at, odd(random))
  }
}

/** The value with one thing changed, somewhere in it. */
export function changeJson(value: unknown, random: Random, depth = 0): unknown {
  const stays = depth > 0 && random.chance(0.3)
  if (Array.isArray(value)) {
    if (value.length === 0) return odd(random)
    if (stays) return changeItems(value, random)
    const at = random.integer(0, value.length - 1)
    return value.with(at, changeJson(value[at], random, depth + 1))
  }
  if (!isObject(value)) return random.chance(0.5) ? odd(random) : retyped(value, random)
  const fields = Object.entries(value)
  if (fields.length === 0) return odd(random)
  if (stays || random.chance(0.2)) return rebuilt(changeFields(fields, random))
  const [name, inner] = random.pick(fields)
  return { ...value, [name]: changeJson(inner, random, depth + 1) }
}

/** Object.fromEntries sets `__proto__` as a field of its own, as JSON.parse does. */
const rebuilt = (fields: readonly Entry[]): unknown => Object.fromEntries(fields)

/** As text, with what only a text can hold; now and then a field stands there twice. */
export function jsonText(value: unknown, random: Random): string {
  const text = JSON.stringify(value) ?? "undefined"
  const whole = text.includes("@raw:") ? text.replace(rawMark, (_, name) => raw[name] ?? "0") : text
  if (!random.chance(0.04) || !whole.startsWith("{")) return whole
  const [name, again] = [random.pick(keys), JSON.stringify(random.pick(words))]
  return `{${JSON.stringify(name)}:${again},${whole.slice(1)}`
}

const broken: readonly Buffer[] = [
  ...[
    [0xff],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0],
    [0xef, 0xbb, 0xbf],
    [0x22],
    [0x5c],
  ],
  ...[[0x7b], [0x7d], [0x2c], [0x0a], [0x5b, 0x5b, 0x5b], [0xe2, 0x80, 0xa8]],
].map((bytes) => Buffer.from(bytes))

/** One thing happens to the bytes: some flip, are cut off, come twice, or others come between. */
export function changeBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.integer(0, Math.max(0, bytes.length - 1))
  switch (random.integer(0, 3)) {
    case 0: {
      const flipped = Buffer.from(bytes)
      for (let left = random.integer(1, 4); left > 0; left--) {
        const where = random.integer(0, Math.max(0, bytes.length - 1))
        flipped[where] = (flipped[where] ?? 0) ^ (1 << random.integer(0, 7))
      }
      return flipped
    }
    case 1:
      return bytes.subarray(0, at)
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random.integer(1, 40)))])
    default:
      return Buffer.concat([bytes.subarray(0, at), random.pick(broken), bytes.subarray(at)])
  }
}
