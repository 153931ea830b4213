// What kind of task the user's last words are, told by their form and by lists of words in English and Chinese:
// each finding speaks for one kind with some points, what is asked to be made counts most, and where no kind
// gathers enough, it is talk.
import type { Message } from "../../protocol/messages/messages.ts"
import { chinese, chineseMaking } from "./chinese.ts"
import { english, englishMaking } from "./english.ts"
import type { Rule, Task } from "./rule.ts"
import { lastUserWords } from "./user-words.ts"

/** The task of a conversation, found out when it is first asked for, and then known. */
export function taskOf(messages: readonly Message[]): () => Task {
  let known: Task | undefined
  return () => {
    known ??= classifyTask(lastUserWords(messages))
    return known
  }
}

/** The kind of task that a text asks for. Of a long text only the beginning and the end are looked at. */
export function classifyTask(text: string): Task {
  const { prose, hasCode } = takeCode(shorten(text))
  const words = prose.replace(address, " ").replace(thanks, " ")
  const points = new Map<Task, number>()
  const add = (task: Task, more: number) => points.set(task, (points.get(task) ?? 0) + more)
  if (hasCode) add("code", 5)
  // Half of the work can be spared where there is nothing to be read.
  const isChinese = /[\u4e00-\u9fff]/.test(words)
  const rules = isChinese ? [...signs, ...english, ...chinese] : [...signs, ...english]
  for (const { task, points: more, pattern } of rules) if (pattern.test(words)) add(task, more)
  for (const task of madeThings(words, isChinese)) add(task, 7)
  if (howMany.test(words) && countNumbers(words) > 1) add("reasoning", 3)
  return best(points)
}

/** On a tie the first one wins. */
const order: readonly Task[] = ["code", "reasoning", "analysis", "creative", "chat"]
const enough = 2

function best(points: ReadonlyMap<Task, number>): Task {
  const most = Math.max(enough, ...points.values())
  return order.find((task) => (points.get(task) ?? 0) >= most) ?? "chat"
}

const beginning = 2_500
const end = 1_000

function shorten(text: string): string {
  return text.length <= beginning + end ? text : `${text.slice(0, beginning)}\n${text.slice(-end)}`
}

const proseLabels: ReadonlySet<string> = new Set(["text", "txt", "markdown", "md"])
const codeLine = /[{}();=>]\s*$|^\s*(?:def|import|from|const|let|var|return|#include|SELECT|\$|at) /m

/** The text without its fenced code, whose words are not the user's. A fence may also hold plain words. */
function takeCode(text: string): { readonly prose: string; readonly hasCode: boolean } {
  const parts = text.split("```")
  const isCode = parts.map((content, index) => index % 2 === 1 && holdsCode(content))
  return { prose: parts.filter((_, index) => !isCode[index]).join("\n"), hasCode: isCode.includes(true) }
}

function holdsCode(fenced: string): boolean {
  const label = /^[\w+#-]{0,20}/.exec(fenced)?.[0].toLowerCase() ?? ""
  return (label !== "" && !proseLabels.has(label)) || codeLine.test(fenced)
}

const address = /\bhttps?:\/\/\S{1,500}/g
// What one is thanked for is not asked for.
const thanks =
  /\b(?:thanks|thank you|thx)(?: so much| very much| a lot)?(?: for [^.,;!?\n]{0,80})?|(?:谢谢|感谢|多谢)(?:[你您](?:[的帮][^,，。!！\n]{0,20})?)?/gi

/** The first thing that is asked to be made, in either language. */
function madeThings(words: string, isChinese: boolean): readonly Task[] {
  const patterns = isChinese ? [englishMaking, chineseMaking] : [englishMaking]
  return patterns.flatMap((pattern) => {
    const groups = pattern.exec(words)?.groups ?? {}
    return order.filter((task) => groups[task] !== undefined)
  })
}

const howMany = /\bhow (?:many|much|long|far|fast|old)\b|多少|一共|还剩|共有|多久|多长|几[个只天岁]/i

function countNumbers(words: string): number {
  return (
    words.match(/\d{1,20}|\b(?:two|three|four|five|six|seven|eight|nine|ten|twice|half)\b/gi)?.length ?? 0
  )
}

/** Signs of code and of mathematics that are the same in every language. */
const signs: readonly Rule[] = [
  {
    task: "code",
    points: 5,
    pattern:
      /Traceback \(most recent|^\s{1,12}at [\w.$<>]{1,80} ?\(|File "[^"\n]{1,200}", line \d|\b[A-Z][a-z]{1,30}(?:[A-Z][a-z]{1,30}){0,4}(?:Error|Exception)\b|\berror(?:\[E\d{4}\]| TS\d{3,5})|\bpanic: |[Ss]egmentation fault|npm ERR!|^fatal: |[Ee]xit code [1-9]/m,
  },
  {
    task: "code",
    points: 4,
    pattern:
      /^\s{0,20}(?:import .{1,80} from ["']|from [\w.]{1,60} import |#include|def \w{1,60}\(|class \w{1,60} ?[:({]|(?:export )?(?:async )?function \w{0,60}\(|(?:const|let|var) [\w{[].{0,60}=|public (?:static|class)|fn \w{1,60}\(|func \w{1,60}\()|\bSELECT\b[\s\S]{1,200}\bFROM\b|\bselect \* from\b|\bINSERT INTO\b|\bCREATE TABLE\b/m,
  },
  {
    task: "code",
    points: 3,
    pattern:
      /(?<![\w.])[\w@-][\w-]{0,60}\.(?:tsx?|jsx?|mjs|py|rs|go|java|kt|c|h|cpp|hpp|cs|rb|php|swift|sh|sql|s?css|html|vue|svelte|json|ya?ml|toml|lock|ipynb|gradle|tf|proto|env)\b/,
  },
  {
    task: "code",
    points: 2,
    pattern:
      /(?:^|[\s"'`(@])(?:~|\.{1,2})?\/?(?:[\w.-]{1,60}\/){2,12}[\w.-]{0,60}|(?:^|\s)\.{1,2}\/[\w.-]{1,60}|\b[A-Z]:\\/m,
  },
  {
    task: "code",
    points: 3,
    pattern:
      /(?:^|[\s`$])(?:(?:npm|npx|pnpm|yarn|bun|pip3?|poetry|cargo|docker|docker-compose|kubectl|terraform|brew|apt|apt-get|dotnet|mvn|gradle|systemctl) (?:install|run|build|test|add|up|down|ps|exec|apply|get|start|restart|status|update|-{1,2}\w)|git (?:add|commit|push|pull|rebase|merge|checkout|clone|log|diff|stash|reset|status|bisect|cherry-pick)|go (?:mod|vet|fmt)|sudo \w|curl -|chmod [+\d]|(?:pytest|vitest|tsc|eslint|mypy)\b)/m,
  },
  { task: "code", points: 2, pattern: /`[^`\n]{2,80}`/ },
  {
    task: "code",
    points: 2,
    pattern:
      /\b(?!(?:sin|cos|tan|log|ln|exp|sqrt|lim|max|min|gcd|lcm|det)\()(?:[a-z_]\w{1,60}|\w{1,60}\.\w{1,60})\((?!(?:s|es|ies)\))[\x20-\x27\x2a-\x7e]{0,80}\)/,
  },
  {
    task: "code",
    points: 2,
    pattern: /\b(?:[a-z]{2,30}(?:[A-Z][a-z]{1,30}){1,5}|[a-z\d]{2,30}_[a-z\d_]{2,60})\b/,
  },
  { task: "code", points: 2, pattern: /=>|[=!]==|&&|\|\||\w::\w|<\/[a-z]|\/>|[;{}]\s{0,3}$/m },
  {
    task: "reasoning",
    points: 3,
    pattern:
      /\d\s{0,3}[+*×÷^=]\s{0,3}[-(]?\d|\d ?[-−] ?\d{1,12} ?=|\b[xyzn]\s?(?:[-+=^]\s?\d|[²³])|[∫∑√∞≤≥π∂≡∈∀∃]|\\(?:frac|int|sum|sqrt|lim)\b/,
  },
]
