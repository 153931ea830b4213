// The dashboard and the alerts ask for figures that the proxy really gives, by labels that these have.
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { createMetrics } from "../../src/observe/metrics.ts"
import { type JsonObject, objectOf, textOf } from "../../src/protocol/json.ts"
import { checkExposition } from "../support/prometheus.ts"
import { startProxy, withFolder } from "../support/proxy.ts"
import { deploy, objectsIn, readDeploy, readYaml, runTool, textsIn } from "./support.ts"

interface Query {
  readonly where: string
  readonly expr: string
  /** What `{{label}}` may stand in. */
  readonly texts: readonly string[]
}

const dashboard = objectOf(JSON.parse(await readDeploy("grafana/dashboards/claude-proxy.json")))
const panels = objectsIn(dashboard["panels"])
const alertsFile = await readYaml("prometheus/alerts.yml")
const alerts = objectsIn(alertsFile["groups"])
  .flatMap((group) => objectsIn(group["rules"]))
  .map((rule): Query => {
    const texts = Object.values(objectOf(rule["annotations"])).map(String)
    return { where: String(rule["alert"]), expr: String(rule["expr"]), texts }
  })
const drawn = panels.flatMap(queriesOf)

function queriesOf(panel: JsonObject): readonly Query[] {
  return objectsIn(panel["targets"]).map((target) => ({
    where: String(panel["title"]),
    expr: String(target["expr"]),
    texts: [textOf(target["legendFormat"]) ?? ""],
  }))
}

const facts = {
  version: "0",
  startedAt: 0,
  inFlight: () => ({ requests: 0, streams: 0 }),
  residentBytes: () => 0,
}
const families = new Map(
  createMetrics(facts)
    .snapshot()
    .families.map(({ name, type, labels }) => [name, { type, labels }]),
)

/** What is wrong with a query: names and labels that the proxy does not give. */
function problemsOf({ expr, texts }: Query): readonly string[] {
  const problems: string[] = []
  const given = new Set(["instance", "job"])
  const named = [...expr.matchAll(/\b((?:claude_proxy|process)_\w+|up)\b(?:\{([^}]*)\})?/g)]
  if (named.length === 0) problems.push("asks for nothing")
  for (const [, name = "", selector = ""] of named) {
    if (name === "up") continue
    const base = name.replace(/_(?:bucket|sum|count)$/, "")
    const family = families.get(name) ?? families.get(base)
    if (family === undefined || (family.type === "histogram") !== (base !== name)) {
      problems.push(`no such figure: ${name}`)
      continue
    }
    const own = [...family.labels, ...(name.endsWith("_bucket") ? ["le"] : [])]
    for (const label of own) given.add(label)
    for (const [, label = ""] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g))
      if (![...own, "instance", "job"].includes(label)) problems.push(`${name} has no ${label}`)
  }
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/,\s*/))
  const shown = texts.flatMap((text) => [...text.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)])
  const kept = grouped.length === 0 ? given : new Set(grouped)
  for (const label of grouped) if (!given.has(label)) problems.push(`no such label: ${label}`)
  for (const [, label = ""] of shown) if (!kept.has(label)) problems.push(`shows no label: ${label}`)
  return problems
}

describe("every query asks for what there is:", () => {
  test.each([...drawn, ...alerts].map((query) => [query.where, query.expr, query] as const))(
    "%s: %s",
    (_, __, query) => {
      expect(problemsOf(query)).toEqual([])
    },
  )
})

test.each([
  ["rate(claude_proxy_request_total[5m])", "", ["no such figure: claude_proxy_request_total"]],
  ["claude_proxy_first_token_seconds", "", ["no such figure: claude_proxy_first_token_seconds"]],
  ['claude_proxy_retries_total{model=~"x"}', "", ["claude_proxy_retries_total has no model"]],
  ["sum by (model) (claude_proxy_retries_total)", "", ["no such label: model"]],
  ["sum by (provider) (claude_proxy_upstream_errors_total)", "{{kind}}", ["shows no label: kind"]],
])("a wrong query is seen: %s %s", (expr, text, problems) => {
  expect(problemsOf({ where: "", expr, texts: [text] })).toEqual(problems)
})

test("what the program gives are these figures", async () => {
  const proxy = await startProxy({ ALLOWED_API_KEYS: "one-client-key" }, ["--demo"])
  try {
    expect((await fetch(`${proxy.url}/metrics`)).status).toBe(401)
    // As Prometheus sends it (authorization in prometheus.yml).
    const headers = { authorization: "Bearer one-client-key" }
    const text = await (await fetch(`${proxy.url}/metrics`, { headers })).text()
    expect(checkExposition(text)).toEqual([])
    const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name ?? "")
    expect(names.toSorted()).toEqual([...families.keys()].toSorted())
  } finally {
    await proxy.stop()
  }
})

describe("the dashboard", () => {
  test("has panels of their own ids, that do not lie on each other", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const places = panels.map(({ gridPos }) => objectOf(gridPos))
    const cells = places.flatMap(({ x, y, w, h }) =>
      Array.from({ length: Number(w) * Number(h) }, (_, index) => {
        const column = Number(x) + (index % Number(w))
        expect(column).toBeLessThan(24)
        return `${column}/${Number(y) + Math.floor(index / Number(w))}`
      }),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })

  test("asks the data source that is provisioned, and lies where Grafana is told to look", async () => {
    const [source] = objectsIn(
      (await readYaml("grafana/provisioning/datasources/prometheus.yaml"))["datasources"],
    )
    const variables = objectsIn(objectOf(dashboard["templating"])["list"])
    const chosen = objectOf(variables.find(({ name }) => name === "datasource")?.["current"])
    expect(chosen["value"]).toBe(source?.["uid"] ?? "none")
    const [provider] = objectsIn(
      (await readYaml("grafana/provisioning/dashboards/claude-proxy.yaml"))["providers"],
    )
    const folder = objectOf(provider?.["options"])["path"]
    const grafana = objectOf(objectOf((await readYaml("compose.yaml"))["services"])["grafana"])
    expect(textsIn(grafana["volumes"])).toContain(`./grafana/dashboards:${folder}:ro`)
  })
})

const promtool = Bun.which("promtool")

describe.skipIf(promtool === null)("promtool", () => {
  test("takes the configuration and the alerts", async () => {
    await withFolder(async (folder) => {
      const text = (await readDeploy("prometheus/prometheus.yml"))
        .replace("/etc/prometheus/alerts.yml", join(deploy, "prometheus/alerts.yml"))
        .replace("/run/secrets/metrics_key", join(folder, "key"))
      await Bun.write(join(folder, "key"), "k")
      await Bun.write(join(folder, "prometheus.yml"), text)
      const { code, output } = await runTool([
        promtool ?? "",
        "check",
        "config",
        join(folder, "prometheus.yml"),
      ])
      expect({ code, output }).toMatchObject({ code: 0 })
    })
  })

  test("sees the alerts fire when they should", async () => {
    const series = (name: string, values: string) => ({ series: `claude_proxy_${name}`, values })
    const tests = [
      // A key's first refusal, in a series that was not there before.
      alertTest("UpstreamKeyRefused", 31, [series('key_rests_total{provider="x"}', "_x30 1")], {
        provider: "x",
      }),
      alertTest("UpstreamKeyRefused", 31, [series('key_rests_total{provider="x"}', "1x40")]),
      alertTest(
        "RequestsFail",
        20,
        [
          series('requests_total{model="m",status="200"}', "0+8x30"),
          series('requests_total{model="m",status="502"}', "0+2x30"),
        ],
        { model: "m" },
      ),
      alertTest("RequestsFail", 20, [
        series('requests_total{model="m",status="200"}', "0+8x30"),
        series('requests_total{model="m",status="400"}', "0+8x30"),
        series('requests_total{model="m",status="cancelled"}', "0+8x30"),
      ]),
    ]
    await withFolder(async (folder) => {
      const path = join(folder, "tests.yml")
      const rule_files = [join(deploy, "prometheus/alerts.yml")]
      await Bun.write(path, JSON.stringify({ rule_files, evaluation_interval: "1m", tests }))
      const { code, output } = await runTool([promtool ?? "", "test", "rules", path])
      expect({ code, output }).toMatchObject({ code: 0 })
    })
  })

  test("and every query of the dashboard", async () => {
    const rules = drawn.map(({ expr }, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$__range", "1h"),
    }))
    await withFolder(async (folder) => {
      const path = join(folder, "rules.yml")
      await Bun.write(path, JSON.stringify({ groups: [{ name: "dashboard", rules }] }))
      const { code, output } = await runTool([promtool ?? "", "check", "rules", path])
      expect({ code, output }).toMatchObject({ code: 0 })
    })
  })
})

/** A test of promtool: after so many minutes the alert is there with these labels, or without them is not. */
function alertTest(
  name: string,
  minutes: number,
  input_series: readonly object[],
  labels?: Readonly<Record<string, string>>,
): object {
  const rule = objectsIn(objectsIn(alertsFile["groups"])[0]?.["rules"]).find(({ alert }) => alert === name)
  const exp_labels = { ...objectOf(rule?.["labels"]), ...labels }
  const summary = String(objectOf(rule?.["annotations"])["summary"])
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels?.[label] ?? "")
    .replace("{{ $value | humanizePercentage }}", "20%")
  const exp_alerts = labels === undefined ? [] : [{ exp_labels, exp_annotations: { summary } }]
  const alert_rule_test = [{ eval_time: `${minutes}m`, alertname: name, exp_alerts }]
  return { interval: "1m", input_series, alert_rule_test }
}
