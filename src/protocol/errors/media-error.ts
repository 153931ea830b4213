// A picture or a PDF that cannot be read, or a picture that is one too many. Every provider says it in its own words;
// Claude Code takes it out of the conversation only when it reads Anthropic's, and asks in vain for ever after otherwise
// (observed with 2.1.332).

// OpenAI (CosmosShadow/gptpdf#6, marketing-factory/ai-filemetadata#26, acoyfellow/my-ax#89), and the codes of its
// Responses API (API reference, response.error.code); Gemini, llama.cpp, SGLang and Moonshot; Pillow in vLLM; Groq;
// Mistral; DashScope and Ark; Zhipu; how many there may be, by vLLM (entrypoints/chat_utils.py) and Groq.
const ofImages: readonly RegExp[] = [
  /unsupported image\. please make sure your image/,
  /does not represent a valid image/,
  /image format \W?[\w./+-]{2,20}\W? (?:is )?not supported/,
  /\b(?:invalid_(?:base64_)?image(?:_format|_mode)?|image_parse_error|image_(?:file_)?too_(?:large|small)|empty_image_file|unsupported_image_media_type)\b/,
  /(?:unable|failed) to (?:process|decode|load|parse|open|read) (?:the )?(?:input |provided )?image\b/,
  /provided image is not valid/,
  /cannot identify image file/,
  /(?:invalid|corrupt(?:ed)?|malformed|broken) image(?: data| file)?\b(?! url)/,
  /not be loaded as a valid image/,
  /image(?: format)? is (?:illegal|invalid|corrupt)|image length and width do not meet/,
  /image (?:size|dimensions?|width|height)\b.{0,40}(?:at least|too small|too large|exceed)/,
  /at most [1-9]\d* images?\b|too many images|number of images\b.{0,30}exceed/,
  /图片(?:输入)?(?:格式|解析|尺寸).{0,8}错误/,
]

// Gemini, also behind others (google-gemini/gemini-cli#13808).
const ofPdfs =
  /the document has no pages|(?:unable|failed) to (?:process|parse|open|read) (?:the )?(?:input |provided )?pdf\b/

// Who takes no pictures at all may call that one invalid.
const takesNone =
  /(?:not|n't) (?:currently )?(?:support|accept|allow)(?:ed|s)? (?:any )?(?:image|vision|multi-?modal)|images? (?:input )?(?:is|are) not (?:supported|allowed|enabled)|\bmmproj\b|not a (?:vlm|multi-?modal|vision)|text-only/

/** Do these words, in lower case, say that one picture is not taken? It says nothing of others. */
export function refusesOneImage(words: string): boolean {
  return ofImages.some((saying) => saying.test(words)) && !takesNone.test(words)
}

/** What of its kind is not taken, as these words, in lower case, say. */
export function lostMedium(words: string): "image" | "PDF" | undefined {
  if (refusesOneImage(words)) return "image"
  return ofPdfs.test(words) ? "PDF" : undefined
}

/** The words for it that Claude Code acts upon, with those that were `said`. */
export function mediumRefused(medium: "image" | "PDF", said: string): string {
  return `Could not process ${medium} (${said})`
}
