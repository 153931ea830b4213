// What an account may not have, however long it waits: whose words say that somebody has to pay, to raise a limit or to
// take another plan.

// Each of these ends only when somebody pays or raises a limit (2026-11: error codes of OpenAI, Moonshot, Kimi
// Code, Ark and DashScope; xAI: continuedev/continue#10373; Fireworks: pollinations/pollinations#12136; OpenAI's
// billing: BerriAI/litellm#2743; LiteLLM's budgets, with 400 or 429: BerriAI/litellm#14144, #37000; OpenRouter's limit
// of a key: danielsmithdevelopment/ClawQL#876; new-api's limit of a token: MAX-API-Next/MAX-API#20; Novita's error codes),
// or not before tomorrow (Workers AI's neurons: get-engram/engram#34).
const outOfCredit =
  /insufficient[_ ](?:[a-z]+[_ ])?(?:quota|balance|credit)|exceeded your current (?:\w+ )?quota|exceeded_current_quota|out of credit|credit[_ ]balance|balance is (?:too low|insufficient)|overdue balance|not enough (?:credits|balance)|(?:all available|any) credits|credits are depleted|spend(?:ing)?[_ ]limit|organization_usage_limit|for this billing cycle|freetieronly|daily free allocation|arrearage|billing_not_active|billing[ _]hard[ _]limit|budget_exceeded|budget has been exceeded|exceededbudget|exceeded budget for provider|crossed budget|(?<!api |per-)key limit exceeded|token_quota_failed/
// DashScope calls a limit of tokens a minute a quota, in OpenAI's words for an empty account; the link tells them apart
// (help.aliyun.com, model-studio/error-code#token-limit; anomalyco/opencode#23722: it works again every minute).
const perMinute = /error-code#token-limit|(?<!free )allocated quota exceeded/

// Zhipu's numbers (docs.bigmodel.cn, error codes): what its texts say in Chinese.
const noBalance = "1113"
const planEnded = "1309"
const notInPlan = "1311"

/** The account is empty, or what it had for nothing is used up. */
export function saysNoCredit(words: string, codes: readonly string[]): boolean {
  if (perMinute.test(words)) return false
  return outOfCredit.test(words) || codes.includes(noBalance) || codes.includes(planEnded)
}

// Ark's limits of one model, which the account's owner has set or never lifted; the others still answer.
const paused = /setlimitexceeded|\bset inference limit\b|exhausted (?:its|the) free trial quota/

/** One model was put out of the account's reach until its owner does something. */
export const saysPaused = (words: string): boolean => paused.test(words)

/** GLM's plans have not all of the models, which they say with 429 (can1357/oh-my-pi#39, farion1231/cc-switch#1386). */
export const isNotInPlan = (words: string, codes: readonly string[]): boolean =>
  codes.includes(notInPlan) || words.includes("subscription plan does not yet include access")

// one-api, new-api and those after them, in two languages (QuantumNous/new-api#6915, songquanpeng/one-api#2340).
const noChannel = /no available channels? for model|无可用渠道/

/** The gateway knows nobody who has the model, for the key's group. */
export const saysNoChannel = (words: string): boolean => noChannel.test(words)
