// What tells the kind of a task in English.
import { making, type Rule, words } from "./rule.ts"

// Words that programmers share with others are theirs only outside the others' set phrases.
const programClass =
  "(?<!(?:first|second|third|business|economy|middle|working|upper|world|high|yoga|english|math|art|cooking|history|dance|gym)[ -])class(?:es)?"
const programCode =
  "(?<!(?:dress|zip|area|bar|promo|discount|morse|building|tax|moral|penal|cheat|gift|postal|dial(?:ling)?|vinci) )code(?! of conduct)"
const programScript = "(?<!(?:movie|film|video|tv|play) )scripts?"
const program =
  "(?<!(?:fitness|workout|training|exercise|tv|radio|degree|loyalty|exchange|diet|space) )programs?"
const userStory = "(?<!user )stor(?:y|ies)(?! points?)"
const python = "(?<!(?:monty|ball|burmese|pet) )python(?! snake| skin| bite)"

const languages =
  "python|javascript|typescript|golang|go|rust|java|kotlin|swift|ruby|php|perl|scala|haskell|c|c\\+\\+|cpp|c#|sql|bash|react|vue"

// A noun before one of these is about a program, not about literature.
const programs =
  "class|components?|api|apps?|generator|models?|endpoints?|functions?|pages?|tables?|parser|service|modules?|player|request|handler|route|url|fields?|method|body|id|template|validat\\w+|address|client|sender|scraper|database|editor|bot|schema|objects?|types?|interface|list|view|screen|form|system|website|queue|tests?"

const creativeNouns = [
  "poems?|poetry|haikus?|sonnets?|limericks?|ballads?|songs?|lyrics|raps?|verses?|tales?|fairy ?tales?|fables?",
  `${userStory}|novels?|novellas?|chapters?|fiction|fan ?fiction|screenplays?|backstor(?:y|ies)`,
  "(?:movie|film|video|tv|play|podcast) scripts?|scripts? for (?:a |an |the |my )?(?:[\\w-]{1,20} ){0,2}(?:movie|film|play|video|podcast|scene)",
  "slogans?|taglines?|mottos?|jokes?|puns?|riddles?|speech(?:es)?|toast|love letters?|letters?|emails?|essays?",
  "blog posts?|posts?|tweets?|captions?|ad copy|product descriptions?|greeting cards?|(?:wedding )?vows",
  "monologues?|dialogues?|eulog(?:y|ies)|newsletters?|press release|logos?",
  "(?:birthday|thank[- ]you|farewell|holiday|wedding|anniversary) (?:message|wish(?:es)?|card|note)s?",
  "names? for (?:my|a|an|our)",
].join("|")

const codeNouns = [
  `functions?|${programScript}|${program}|${programClass}|methods?|${programCode}|(?:unit )?tests?|quer(?:y|ies)`,
  "regex(?:es)?|regular expressions?|components?|endpoints?|apis?|apps?|(?:web|mobile|desktop) application",
  "websites?|web ?pages?|(?:landing|login|settings|home) page|parser|compiler|bot|crawler|scraper|server|cli",
  "modules?|hooks?|middleware|algorithm|loop|dockerfile|makefile|workflow|pipeline|migrations?|schema|database",
  "plugin|extension|linked list|binary search|quick ?sort|merge ?sort|hash ?map|cache|login|dashboard|buttons?",
  `navbar|dark mode|tetris|(?:snake|browser|chess) game|todo list|lru|${python}`,
].join("|")

/** What is asked to be made: the first noun behind the verb, not one that only describes it. */
export const englishMaking = making(
  "\\b(?:write|compose|create|make|draft|tell|give|generate|craft|invent|build|implement|develop|code|design|produce|add|come up with|continue|finish|rewrite|improve|sing|prepare)\\s{1,3}" +
    "(?:(?!(?:that|which|about|for|when|where|who|because|so|if|sure|to|with)\\b)[\\w'’.+#/-]{1,24}\\s{1,3}){0,6}?",
  {
    creative: `(?:${creativeNouns})\\b(?!\\s(?:${programs})\\b)`,
    code: `(?:${codeNouns})\\b`,
    reasoning: "(?:proofs?|derivation|truth table)\\b(?! of (?:concept|residence|address|payment))",
    analysis: "(?:report|analysis|comparison|review|evaluation|assessment|summary|critique)\\b",
  },
)

const workedOn = [
  "buttons?|toggle|dark mode|log ?in|endpoints?|routes?|columns?|tests?|test suite|build|ports?|config(?:uration)?",
  "dependenc(?:y|ies)|imports?|flags?|readme|changelog|ci|pipeline|docker|databases?|migrations?|quer(?:y|ies)",
  "cache|logging|logs|errors?|exceptions?|modal|components?|css|navbar|sidebar|functions?|methods?|variables?|bugs?",
  "crash|server|warnings?|linter|branch|version|type hints?|pagination|modules?|handler|script|file",
].join("|")

const changing =
  "add|update|change|rename|remove|delete|move|extract|fix|replace|run|install|deploy|merge|rebase|bump|configure|enable|disable|check|upgrade|split|optimi[sz]e"

const languageNames =
  "english|chinese|mandarin|french|german|spanish|italian|japanese|korean|russian|arabic|portuguese|dutch|latin"

const code: readonly Rule[] = [
  ...words("code", 5, [
    `(?:translate|convert|port|rewrite|migrate)\\b.{0,60}\\b(?:in|into|to) (?:${languages})(?!\\w)`,
  ]),
  ...words("code", 3, [
    "refactor\\w*|debug\\w*|(?:unit|integration|e2e|end-to-end|failing|broken|flaky) tests?|tests? (?:pass|fail)\\w*",
    "pull request|merge conflicts?|stack ?trace|source code|codebase|code review|regex|compiler|command not found",
    "null pointer|memory leak|race condition|deadlock|lint(?:er|ing)?|localhost|monorepo|middleware",
    "commit (?:this|these|it|the changes|and push)|push (?:it )?to (?:main|master|origin)",
    "build (?:fails?|failed|is (?:broken|failing|red)|broke|errors?)",
    `(?:${changing})\\s{1,3}(?:[\\w'’-]{1,24}\\s{1,3}){0,5}?(?:${workedOn})`,
  ]),
  ...words("code", 2, [
    `javascript|typescript|${python}|golang|java(?! coffee| island| sea)|kotlin|php|sql|html|css|django|spring boot`,
    "pytorch|tensorflow|numpy|pandas|linux|bash|powershell|postgres\\w*|mysql|redis|mongodb|json|yaml|graphql",
    `${programCode}|algorithms?|databases?|backend|frontend|apis?|endpoints?|git(?:hub|lab)?|npm|docker\\w*`,
    "off[- ]by[- ]one|pagination|webhooks?|oauth|jwt|csv|async|await|callbacks?|div|iframe|dropdown|tooltip",
    "eslint|prettier|type hints?|env(?:ironment)? var(?:iable)?s?|stdin|stdout|stderr|cron ?jobs?|recursi(?:on|ve)",
    "mutex|segfault|breakpoints?|readme|cli|sdk|vs ?code|nginx|aws|kafka|grpc|websockets?|https?|repos?|tsconfig",
    "(?:next|react|vue|node)\\.?js|vue\\d|node ?\\d+|in production|(?:for|while|infinite|event) loop",
    "test suites?|(?:test|code|line|branch) coverage|(?:last|previous|latest) commit|error messages?|is not assignable|vim|neovim",
    "helper function|retry logic|type ?errors?|syntax errors?|hard-?coded|boilerplate|caching|implement(?:s|ed|ing|ation)?",
    "(?:log ?in|sign ?up|landing|settings) (?:page|form|screen|button)",
    "(?:this|that|these) (?:functions?|class|method|script|module|file|query)|my (?:function|script|query)",
  ]),
  // With capitals they are names; without, words like any other.
  {
    task: "code",
    points: 2,
    pattern:
      /\b(?:React|Vue|Angular|Flask|Kubernetes|Rust|GCC|CI|PR)\b|\b(?:in|to|with|using) (?:Go|Swift|Ruby|C)\b|\bC\+\+|\bC#/,
  },
  ...words("code", 1.5, [
    `bugs?|software|${program}|crash(?:es|ed|ing)?|deploy\\w*|repository|(?:issue|ticket) #?\\d+`,
  ]),
  ...words("code", 1, [
    `functions?|${programClass}|variables?|arrays?|loops?|${programScript}|modules?|methods?|strings?`,
    "exceptions?|packages?|servers?|threads?|apps?|undefined|compil\\w+|lines? \\d+|time(?:s|d)? ?out|timeouts?",
    "fix|install|errors?|config(?:uration|s)?|helpers?|logs?|typos?|commits?|tests?|coverage|retr(?:y|ies)|loaded",
    "mocks?|stubs?|hooks?|sidebar|wire up|rollback",
  ]),
]

const reasoning: readonly Rule[] = [
  ...words("reasoning", 4, [
    "prove (?:that|the|this|it|by|using)|by (?:mathematical )?induction|theorem|lemma",
    "proofs? (?:of|that|by)(?! (?:residence|purchase|concept|address|payment|work|income|identity))",
    "integral(?! part| to| role| component)|integrate (?:the|x|sin|cos)|differentiate (?:the|f|x|y)",
    "derivative of|eigen\\w+|equations?|quadratic|polynomials?|prime factor\\w*|calculus|algebra",
    "solve (?:for|the (?:system|following|puzzle)|this (?:puzzle|riddle|problem))|logic puzzle",
    "limit of .{1,40} as",
  ]),
  ...words("reasoning", 3, [
    "riddle|brain ?teaser|truth table|syllogism|permutations?|combinatorics|trigonometr\\w+|geometry",
    "if all\\b.{1,80}\\bare|who is (?:lying|telling the truth)|must be true|what can (?:we|be) conclude\\w*",
    "(?:what(?:'s| is)|calculate|compute) \\(?\\d{1,12}(?:\\.\\d{1,9})?\\s{0,3}[-+*/x×÷^−]\\s{0,3}\\(?\\d+",
    "\\d{1,9} ?% of|is \\d{1,20} (?:a )?prime|prime numbers?|how many ways|what comes next",
  ]),
  ...words("reasoning", 2.5, [
    "probability|odds (?:of|that)|how likely|square root|divisible|remainder|modulo|matri(?:x|ces)",
  ]),
  ...words("reasoning", 2, [
    "calculate|compute the|deduce|infer|percent(?:age)? of|logarithm|step[- ]by[- ]step|paradox|maths?",
  ]),
]

const analysis: readonly Rule[] = [
  ...words("analysis", 3, [
    "compar(?:e|ing|ison)s?|analy[sz](?:e|es|ing)|analysis|evaluat(?:e|ion|ing)|assess(?:ment)?",
    "pros and cons|trade-?offs?|differences? between|critique|critically|review|swot|feasibility",
    "(?:dis)?advantages|strengths and weaknesses|root cause|implications?|summari[sz]e|summary of",
    "explain why|cost-benefit|interpret (?:the|this)|examine|which (?:one )?is better|versus|vs",
    "should (?:i|we)\\b.{1,60}\\bor|break down|is\\b.{1,60}\\bbetter than|worth (?:it|buying)|(?:for|pro) and (?:against|contra)",
  ]),
  ...words("analysis", 2, [
    "why(?! (?:not|thank|hello|so)\\b)(?!\\?)|how come|causes? of|what caused|reasons? (?:for|why|behind)|explain",
    "impact of|effects? of|consequences|how (?:does|do|did)\\b.{1,60}\\bwork",
  ]),
]

const creative: readonly Rule[] = [
  ...words("creative", 3, [
    "haiku|limerick|sonnet|lyrics|fan ?fiction|screenplay|fairy ?tales?|slogans?|taglines?|brainstorm|backstory",
    "name ideas|role-?play|once upon a time|(?:short|bedtime) story|plot twist|pretend (?:to be|you)",
  ]),
  ...words("creative", 2, [
    `poems?|poetry|novels?|fiction(?:al)?|tales?|in the style of|rhym(?:e|es|ing)|${userStory}`,
  ]),
]

const chat: readonly Rule[] = [
  ...words("chat", 4, [
    "translat\\w+|how (?:do|would) (?:you|i) say",
    `translat\\w+\\b[\\s\\S]{0,200}\\b(?:in|into|to) (?:${languageNames})`,
  ]),
  ...words("chat", 3, [
    "recommend\\b.{0,60}\\b(?:book|movie|film|restaurant|song|show|podcast|series|hotel)s?",
  ]),
  ...words("chat", 2.5, [
    "who (?:wrote|invented|painted|directed|sang|won|played)|when (?:was|did)|what year|where is",
    "capital of|how old|what time|how are you|what do you think",
  ]),
]

/** Everything that English words say of a task. */
export const english: readonly Rule[] = [...code, ...reasoning, ...analysis, ...creative, ...chat]
