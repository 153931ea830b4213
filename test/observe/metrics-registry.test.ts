// The registry alone: what is counted, how much of it is told apart, and how several of them become one text.
import { describe, expect, test } from "bun:test"
import { createCleaner, createModelNames } from "../../src/observe/metrics-labels.ts"
import { createRegistry, type MetricsSnapshot, type Registry } from "../../src/observe/metrics-registry.ts"
import { mergeSnapshots, renderSnapshots } from "../../src/observe/metrics-text.ts"
import { checkExposition, figure, samplesOf } from "../support/prometheus.ts"
import { property } from "../support/random.ts"

const clean = createCleaner(() => [])
const textOf = (registry: Registry): string => renderSnapshots([registry.snapshot()])
const samples = (text: string): readonly string[] =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))

describe("families", () => {
  test("a counter adds up by its labels; one without labels begins at nothing", () => {
    const registry = createRegistry(clean)
    const add = registry.counter({ name: "a_total", help: "A.", labels: ["x", "y"] })
    registry.counter({ name: "b_total", help: "B." })
    add("1", "2")(1)
    add("1", "2")(2.5)
    add("1", "3")(0)
    expect(textOf(registry)).toBe(
      [
        ...["# HELP a_total A.", "# TYPE a_total counter"],
        ...['a_total{x="1",y="2"} 3.5', 'a_total{x="1",y="3"} 0'],
        ...["# HELP b_total B.", "# TYPE b_total counter", "b_total 0", ""],
      ].join("\n"),
    )
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "%p is no amount",
    (amount) => {
      const registry = createRegistry(clean)
      registry.counter({ name: "a_total", help: "A." })()(amount)
      registry.histogram({ name: "b", help: "B." }, [1])()(amount)
      expect([figure(textOf(registry), "a_total"), figure(textOf(registry), "b_count")]).toEqual([0, 0])
    },
  )

  test("a histogram's buckets hold everything up to their bound", () => {
    const registry = createRegistry(clean)
    const observe = registry.histogram({ name: "a", help: "A.", labels: ["x"] }, [0.1, 1])
    for (const amount of [0, 0.1, 0.100001, 1, 7]) observe("1")(amount)
    expect(samples(textOf(registry))).toEqual([
      'a_bucket{x="1",le="0.1"} 2',
      'a_bucket{x="1",le="1"} 4',
      'a_bucket{x="1",le="+Inf"} 5',
      `a_sum{x="1"} ${0.1 + 0.100001 + 1 + 7}`,
      'a_count{x="1"} 5',
    ])
    expect(checkExposition(textOf(registry))).toEqual([])
  })

  test("a gauge is read when somebody asks", () => {
    const registry = createRegistry(clean)
    let now = 1
    registry.gauge({ name: "a", help: "A.", read: () => now })
    registry.gauge({ name: "b", help: "B.", fixed: { version: '1"0' }, read: () => 1 })
    now = -2.5
    expect(samples(textOf(registry))).toEqual(["a -2.5", 'b{version="1\\"0"} 1'])
  })
})

describe("series do not grow without end", () => {
  test("the labels that others make up are given up first, then all of them", () => {
    const registry = createRegistry(clean)
    const add = registry.counter({
      ...{ name: "a_total", help: "A.", labels: ["model", "status"] },
      ...{ open: ["model"], limit: 2 },
    })
    for (const status of ["200", "500", "501", "502"]) {
      for (const model of ["a", "b", "c"]) add(model, status)(1)
    }
    expect(samples(textOf(registry))).toEqual([
      'a_total{model="a",status="200"} 1',
      'a_total{model="b",status="200"} 1',
      'a_total{model="other",status="200"} 1',
      'a_total{model="other",status="500"} 3',
      'a_total{model="other",status="other"} 6',
    ])
  })

  test("of 10,000 models a hundred names are left, and failures alone take no more than half of them", () => {
    const name = createModelNames(clean)
    const junk = new Set(Array.from({ length: 5_000 }, (_, index) => name(`junk-${index}`, false)))
    expect(junk.size).toBe(51)
    const good = new Set(Array.from({ length: 5_000 }, (_, index) => name(`good-${index}`, true)))
    expect(good.size).toBe(50)
    expect(good.has("other")).toBe(true)
    expect([name("junk-0", false), name("good-0", false), name("junk-50", true)]).toEqual([
      ...["junk-0", "good-0", "other"],
    ])
  })

  test("a label keeps nothing of the long text it was cut from", () => {
    Bun.gc(true)
    const before = process.memoryUsage().heapUsed
    const values = Array.from({ length: 40 }, (_, index) => clean(`${index}-${"x".repeat(2_000_000)}`))
    Bun.gc(true)
    expect(values.every((value) => value.length === 100)).toBe(true)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
  })
})

const hostile = [
  '"',
  "\\",
  "\n",
  '\\"',
  "a\\",
  '"} 1\nevil_total{x="',
  "\r\nx",
  "\u0000",
  "a\u0000b",
  "\u2028\u0085",
  "🎯 模型",
  "\ud800",
  `${"x".repeat(99)}🎯`,
  "x".repeat(100_000),
  "",
  " ",
  "__proto__",
  "# TYPE a counter",
  "NaN",
]

describe("hostile labels", () => {
  test("are read as what they are, cut and well-formed", () => {
    const registry = createRegistry(clean)
    const add = registry.counter({ name: "a_total", help: "A.", labels: ["x", "y"] })
    for (const value of hostile) add(value, "1")(1)
    const text = textOf(registry)
    expect(checkExposition(text)).toEqual([])
    expect(text.isWellFormed()).toBe(true)
    const read = samplesOf(text).map(({ labels }) => labels["x"])
    expect(read).toHaveLength(samples(text).length)
    expect(read.slice(0, 6)).toEqual(hostile.slice(0, 6))
    expect(read.slice(6, 13)).toEqual([
      ...["\ufffd\nx", "\ufffd", "a\ufffdb", "\ufffd\ufffd", "🎯 模型", `${"x".repeat(99)}\ufffd`],
      "x".repeat(100),
    ])
  })

  test("no two series have one key, whatever is in their labels", () => {
    const registry = createRegistry(clean)
    const add = registry.counter({ name: "a_total", help: "A.", labels: ["x", "y"] })
    add("a\u0000b", "c")(1)
    add("a", "b\u0000c")(1)
    expect(samples(textOf(registry))).toHaveLength(2)
  })

  test("secrets are hidden before a text is cut", () => {
    const secret = "known-secret-value-0123456789"
    const hide = createCleaner(() => [secret])
    expect(hide(`${"m".repeat(90)}${secret}`)).toBe(`${"m".repeat(90)}[redacted]`)
    expect(hide("sk-ant-0123456789abcdef")).toBe("[redacted]")
  })

  property("random ones: what was counted is what is read, strictly", 60, (random) => {
    const registry = createRegistry(clean)
    const add = registry.counter({ name: "a_total", help: "A.", labels: ["x", "y"], open: ["x"], limit: 5 })
    const observe = registry.histogram(
      { name: "b", help: "B.", labels: ["x"], open: ["x"], limit: 3 },
      [1, 2],
    )
    const times = random.integer(1, 30)
    for (let count = 0; count < times; count++) {
      const value = Array.from({ length: random.integer(0, 5) }, () => random.pick(hostile)).join("")
      add(value, random.pick(["1", "2"]))(1)
      observe(value)(random.integer(0, 3))
    }
    const text = textOf(registry)
    expect(checkExposition(text)).toEqual([])
    const read = samplesOf(text)
    expect([figure(read, "a_total"), figure(read, "b_count")]).toEqual([times, times])
    expect(read).toHaveLength(samples(text).length)
  })
})

describe("several processes", () => {
  function process(amount: number, label: string): MetricsSnapshot {
    const registry = createRegistry(clean)
    const add = registry.counter({ name: "a_total", help: "A.", labels: ["x"] })
    const observe = registry.histogram({ name: "b_seconds", help: "B.", labels: ["x"] }, [1, 5])
    registry.gauge({ name: "c", help: "C.", read: () => amount })
    registry.gauge({ name: "d", help: "D.", combine: "min", read: () => amount })
    registry.gauge({ name: "e", help: "E.", combine: "max", read: () => amount })
    add("both")(amount)
    add(label)(1)
    observe("both")(amount)
    // What another process sends is JSON.
    return JSON.parse(JSON.stringify(registry.snapshot()))
  }

  test("count together", () => {
    const text = renderSnapshots([process(2, "one"), process(7, "two"), process(0.5, "one")])
    expect(checkExposition(text)).toEqual([])
    expect(samples(text)).toEqual([
      ...['a_total{x="both"} 9.5', 'a_total{x="one"} 2', 'a_total{x="two"} 1'],
      ...['b_seconds_bucket{x="both",le="1"} 1', 'b_seconds_bucket{x="both",le="5"} 2'],
      ...['b_seconds_bucket{x="both",le="+Inf"} 3', 'b_seconds_sum{x="both"} 9.5'],
      ...['b_seconds_count{x="both"} 3', "c 9.5", "d 0.5", "e 7"],
    ])
  })

  test("in any order and in any groups the same", () => {
    const [one, two, three] = [process(1, "a"), process(2, "b"), process(4, "c")]
    const inTurn = mergeSnapshots([mergeSnapshots([one, two]), three])
    expect(renderSnapshots([inTurn])).toBe(renderSnapshots([one, two, three]))
    const sorted = (all: readonly MetricsSnapshot[]) => samples(renderSnapshots(all)).toSorted()
    expect(sorted([three, one, two])).toEqual(sorted([one, two, three]))
  })

  test("none of them, and one alone", () => {
    expect(samplesOf(renderSnapshots([]))).toEqual([])
    expect(mergeSnapshots([process(3, "x")])).toEqual(process(3, "x"))
  })

  test("one that tells of more than the others adds a family", () => {
    const extra = { ...process(1, "x").families[0], name: "z_total", help: "Z.", series: [] }
    const more = {
      families: [{ ...extra, type: "counter", labels: [], combine: "sum", bounds: [] }],
    } as const
    expect(renderSnapshots([process(1, "x"), more])).toContain("# TYPE z_total counter")
  })
})

describe("the strict reader sees what is wrong", () => {
  const head = "# HELP a_total A.\n# TYPE a_total counter\n"
  const histogram = "# HELP h H.\n# TYPE h histogram\n"
  test.each([
    ["no end", head.trimEnd(), "the last line does not end"],
    ["no sample", `${head}a_total{x=1} 1\n`, "no sample: a_total{x=1} 1"],
    ["a quote", `${head}a_total{x="a"b"} 1\n`, 'no sample: a_total{x="a"b"} 1'],
    ["a bad escape", `${head}a_total{x="\\t"} 1\n`, 'no sample: a_total{x="\\t"} 1'],
    ["a label twice", `${head}a_total{x="1",x="2"} 1\n`, 'no sample: a_total{x="1",x="2"} 1'],
    ["a bad number", `${head}a_total undefined\n`, "no sample: a_total undefined"],
    ["an empty line", `${head}\n`, "no sample: "],
    ["a stranger", `${head}b_total 1\n`, "outside its family: b_total 1"],
    ["no HELP", "# TYPE a_total counter\na_total 1\n", "no HELP right before: # TYPE a_total counter"],
    ["a family twice", `${head}${head}`, "a second time: # TYPE a_total counter"],
    [
      "a series twice",
      `${head}a_total{x="1",y="2"} 1\na_total{y="2",x="1"} 1\n`,
      "a_total: the same series twice",
    ],
    ["a negative counter", `${head}a_total -1\n`, "a_total: less than nothing"],
    ["a counter's name", "# HELP a A.\n# TYPE a counter\na 1\n", "a: a wrong end for a counter"],
    ["no last bucket", `${histogram}h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n`, "h []: no last bucket"],
    [
      "buckets that fall",
      `${histogram}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
      "h []: buckets that fall",
    ],
    [
      "bounds that fall",
      `${histogram}h_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
      "h []: bounds that do not rise",
    ],
    [
      "another count",
      `${histogram}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n`,
      "h []: a count that is not the last bucket's",
    ],
    ["no sum", `${histogram}h_bucket{le="+Inf"} 1\nh_count 1\n`, "h []: not one sum and one count"],
  ])("%s", (_name, text, problem) => {
    expect(checkExposition(text)).toEqual([problem])
  })
})
