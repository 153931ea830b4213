// An error inside a 200 often has only a word: OpenAI's, Anthropic's, Google's and DashScope's; or Zhipu's number.
const statusWords: readonly (readonly [RegExp, number])[] = [
  [/rate_?limit|limit_requests|resource_exhausted|too_many_requests|insufficient_quota|throttl/, 429],
  [/\b(?:1113|130[23589]|131[01])\b/, 429],
  [/billing|payment|insufficient_balance/, 402],
  [/authentication|unauthenticated|unauthorized|invalid_api_key/, 401],
  [/permission|forbidden/, 403],
  [/overloaded|unavailable|capacity|slow_down/, 529],
  [/timeout|deadline_exceeded/, 504],
  // The Responses API's codes for what is wrong with a request (OpenAI API reference, response.error.code).
  [
    /_policy|invalid_prompt|invalid_encrypted_content|invalid_(?:base64_)?image|unsupported_image|empty_image|image_(?:too|parse|file|content)|failed_to_download_image|data_residency/,
    400,
  ],
  [/not_?found/, 404],
  [/invalid_?request|invalid_?argument|invalid_?parameter|bad_?request|content_filter|inspection/, 400],
  [/\b(?:1210|1301)\b/, 400],
]

/** The HTTP status that an error's code words (lower case) stand for; undefined when they say nothing. */
export function namedStatus(codes: readonly string[]): number | undefined {
  const words = codes.join(" ")
  return statusWords.find(([word]) => word.test(words))?.[1]
}
