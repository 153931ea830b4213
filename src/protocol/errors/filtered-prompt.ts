// A prompt that an upstream's content filter does not let pass. After other words than Anthropic's Claude Code sends what
// was refused five times more, each time without another of its features, in case that was it (observed with 2.1.332).

// Codes and texts of Azure and OpenAI, Moonshot, DashScope and DeepSeek; Zhipu's is a number.
const filtered =
  /\bcontent_filter\b|content_policy_violation|content management policy|data_?inspection_?failed|considered high risk|content exists risk/

/** Zhipu's number for it (docs.bigmodel.cn, error codes). */
export const zhipuSensitive = "1301"

/** Do these words, in lower case, say so, or one of the codes? */
export function isFiltered(words: string, codes: readonly string[]): boolean {
  return filtered.test(words) || codes.includes(zhipuSensitive)
}

/** The words for it that Claude Code gives up at, with those that were `said`. */
export function promptFiltered(said: string): string {
  return `Output blocked by content filtering policy (${said})`
}
