// Refusals of what stands in the messages and can be said in another way: a role, images, lists of parts,
// members that only some providers know. What anybody wrote is never refused by these words.
import { refusesOneImage } from "../../protocol/errors/media-error.ts"
import { type Media, type MessageMember, messageMembers } from "./amend-messages.ts"
import type { Amendment } from "./amendments.ts"
import type { Words } from "./refusal-words.ts"

/** What may be changed in the messages after such a refusal, the likeliest first. */
export function refusedContent(words: Words): readonly Amendment[] {
  return [
    ...refusedOrder(words),
    ...wantsReasoning(words),
    ...refusedRoles(words),
    ...refusedMembers(words),
    ...refusedMedia(words),
    ...wantsText(words),
  ]
}

// Mistral's API and vLLM with its tokenizer, and the templates of its models, which pass over calls and results as
// they count whose turn it is (NousResearch/hermes-agent#20154, SWE-agent/mini-swe-agent#759); Hunyuan, to which a
// result is what a user says (FoundationAgents/OpenManus#894, lobehub/lobehub#7173).
const noUserAfterTool =
  /unexpected role \W?user\W? after role \W?tool\b|roles must alternate .{0,40}except for tool calls|tool messages?(?:\(s\))? should alternate with assistant|user ?\(tool\) ?(?:和|and) assistant (?:角色需交替|roles must alternate)/

// The template of Llama 3.1 and those after it (vllm-project/vllm#12937, #25108).
const oneCall = /only supports single tool-?calls at once/

// Bedrock (pydantic/pydantic-ai#4495), Claude behind it (langchain4j/langchain4j#1864), DeepSeek's first reasoner
// (ChatGPTNextWeb/NextChat#6305), Perplexity (perplexityai/api-discussion#265), Gemini (get-convex/agent#309), the
// templates of Gemma and Mistral, and of Qwen 3.5 (lmstudio-ai/lmstudio-bug-tracker#1655).
const userFirst =
  /conversation must start with a user message|first message must use the \W?user\W? role|first message \(except the system message\) .{1,80}must be a user message|roles should be alternating|roles must alternate|function call turn comes immediately after a user turn|no user query found in messages/

function refusedOrder({ text }: Words): readonly Amendment[] {
  if (oneCall.test(text)) return [{ kind: "single" }]
  return [
    ...(noUserAfterTool.test(text) ? [{ kind: "between" } as const] : []),
    ...(userFirst.test(text) ? [{ kind: "opening" } as const] : []),
  ]
}

/** Gemini or Claude behind a name or a server that does not give their signatures; the first quotes the call's name. */
export function unsignedCalls({ text }: Words): Amendment | undefined {
  if (/missing a \W?thought_signature\b/.test(text)) return { kind: "reasoning", on: "signatures" }
  // As Bedrock and OpenRouter hand it on (aws-samples/bedrock-access-gateway#119, OpenRouterTeam/ai-sdk-provider#245).
  const wantsBlocks = /expected \W?thinking\W? or \W?redacted_thinking\W{1,3}but found/.test(text)
  return wantsBlocks ? { kind: "reasoning", on: "blocks" } : undefined
}

// DeepSeek and Kimi behind a name that does not say so; nothing is enough for both (deepseek-ai/deepseek-harness,
// discussion 739; Lapis0x0/obsidian-yolo#243).
const noReasoning =
  /\breasoning_content\b.{0,60}must be (?:passed|sent)|missing \W?reasoning_content\b|\breasoning_content is missing\b/

function wantsReasoning({ text }: Words): readonly Amendment[] {
  if (!noReasoning.test(text)) return []
  return [{ kind: "reasoning", on: text.includes("tool call message") ? "calls" : "all" }]
}

/** The words for a role that is not taken, `{}` standing for its name. */
const roleSayings: readonly string[] = [
  "\\b{}\\W{1,3}is not one of",
  "unknown variant \\W?{}\\b",
  "(?:not|n't) support \\W?{}\\b(?! cache)",
  "(?:unknown|unexpected|invalid|unsupported|unrecognized|bad) (?:message )?role\\b\\W{0,4}{}\\b",
  "role\\W{1,4}{}\\W{1,3}(?:is |was )?(?:not|un|invalid)",
  "\\b{} (?:role|message|prompt|instruction)s?\\b(?: role)? ?(?:is |are )?(?:currently )?(?:not|un)(?: yet)? ?(?:supported|allowed|enabled|permitted|accepted)",
  "(?:not|n't) (?:support|allow|accept)(?:s|ed)? (?:the |a |any )?\\W?{}\\W? (?:role|message|prompt|instruction)",
  "(?:value|role|input)\\W{1,3}{}\\W{1,3}(?:is )?(?:not|invalid|unsupported)",
  "invalid value: \\W?{}\\b",
]

const sayingsOf = (sayings: readonly string[], what: string): readonly RegExp[] =>
  sayings.map((saying) => new RegExp(saying.replaceAll("{}", what)))
const roles = {
  developer: sayingsOf(roleSayings, "developer"),
  system: sayingsOf(roleSayings, "system"),
} as const

// Gemini calls the system prompt a developer's; the templates of open models raise the others.
const noInstructions =
  /developer instruction is not enabled|(?:conversation )?roles must alternate|only (?:the )?\W?user\W? and \W?assistant\W? roles/
const rolePath = /^(?:messages|input)[.[].{0,20}role$/

function refusedRoles({ text, path }: Words): readonly Amendment[] {
  const lists = (role: string): boolean =>
    new RegExp(`(?:one of|expected|be|values|are).{0,80}\\b${role}\\b`).test(text)
  const says = (role: keyof typeof roles): boolean => roles[role].some((saying) => saying.test(text))
  const isUnlisted = rolePath.test(path) && lists("user") && !text.includes("developer")
  if (noInstructions.test(text)) {
    const froms = ["system", "developer"] as const
    return froms.map((from) => ({ kind: "role", from, to: "user" }))
  }
  if (says("developer") || isUnlisted) return [{ kind: "role", from: "developer", to: "system" }]
  if (!says("system")) return []
  return [{ kind: "role", from: "system", to: lists("developer") ? "developer" : "user" }]
}

const noSuchMember =
  /extra (?:inputs|fields)|unknown|unrecognized|unexpected|(?:not|n't) (?:permitted|supported|support|allowed|recognized|valid)|unsupported|no endpoints found that support|cannot find field/

/** Members of messages; the place has to be named, or the member has to be one that stands nowhere else. */
function refusedMembers({ text, path }: Words): readonly Amendment[] {
  if (!noSuchMember.test(text) || /must be (?:passed|sent|provided)|passed back|is required/.test(text))
    return []
  const placed = [path, ...(text.match(/\b(?:messages|input)(?:[.[][\w\].['":]{1,120})/g) ?? [])]
  const ends = new Set(placed.map((place) => place.split(/[^a-z_]+/).findLast((part) => part !== "") ?? ""))
  const within = /\bmessages?\b/.test(text)
  const names = messageMembers.filter((name: MessageMember) => {
    if (ends.has(name) && placed.some((place) => /^messages[.[]/.test(place))) return true
    if (name === "cache_control") return /cache[_ ]control/.test(text)
    return within && new RegExp(`(?:property|field|parameter|key)\\W{1,3}${name}\\b`).test(text)
  })
  return names.length === 0 ? [] : [{ kind: "members", names }]
}

// A picture that is broken, too large or of an odd format says nothing of the others.
const oneImage =
  /image (?:format|type|size|dimensions?|data|file)|too large|too many images|(?:invalid|corrupt\w*|broken|bad) image|could not process|failed to (?:download|fetch|load|decode)|base64/
const noAddress =
  /image[_ ]urls? (?:is|are|must|should)[^.]{0,40}(?:not supported|base64|data)|only (?:base64|data)[^.]{0,20}image|images? (?:by|from|via) urls? (?:is|are) not|(?:remote|external|http\w*) (?:image )?urls? (?:is|are) not (?:supported|allowed)/

const mediaWords = {
  image:
    "(?:(?:image|vision|multi-?modal|visual)(?:[ _-](?:input|content|data|understanding|url|part|message|modality))?s?|image_url|input_image)",
  file: "(?:(?:file|pdf|document)(?:[ _-](?:input|content|part|upload|attachment))?s?|input_file)",
} as const

const mediaSayings: readonly string[] = [
  "{} (?:(?:is|are) )?(?:currently )?(?:not(?: yet)?|un) ?(?:supported|allowed|enabled|available|accepted)",
  "(?:not|n't|cannot|can't)(?: yet)? (?:support|accept|allow|have|take|handle|process|see|read)(?:s|ed|ing)? (?:the )?(?:any )?(?:type )?\\W?{}\\b",
  "\\b{}\\W{1,3}is only supported by",
  "unknown variant \\W?{}\\b",
  "no endpoints found that support {}",
  "at most 0 {}",
  "(?:invalid|unsupported|unknown|unexpected) (?:content |message |part |input |media )*(?:type|part|modality|value)\\W{1,5}{}\\b",
  "unsupported {}",
]

const media = {
  image: sayingsOf(mediaSayings, mediaWords.image),
  file: sayingsOf(mediaSayings, mediaWords.file),
} as const

// SiliconFlow, vLLM, llama.cpp, and in Chinese.
const textOnly =
  /not a (?:vlm|multi-?modal|vision)|text-only (?:model|prompt|input)|\bmmproj\b|only supports? text\b|不支持(?:图片|图像|视觉|多模态)/

function refusedMedia({ text }: Words): readonly Amendment[] {
  if (noAddress.test(text)) return [{ kind: "media", what: "image-url" }]
  const kinds: readonly Media[] = (["image", "file"] as const).filter((kind) =>
    media[kind].some((saying) => saying.test(text)),
  )
  const all: readonly Media[] = textOnly.test(text) ? [...new Set<Media>([...kinds, "image"])] : kinds
  return all
    .filter((what) => what === "file" || !(oneImage.test(text) || refusesOneImage(text)))
    .map((what) => ({ kind: "media", what }))
}

// pydantic, Groq, serde (DeepSeek and others in Rust), OpenAI; Cloudflare (anomalyco/opencode#30381, cloudflare-os#54);
// templates that put texts together.
const notText: readonly RegExp[] = [
  /content\b[^.;]{0,40}(?:must|should) be (?:a )?(?:valid )?string/,
  /messages?\b.{0,60}content[^;]{0,40}: (?:value must be|input should be) a (?:valid )?string/,
  /messages\[\d+\](?:\.content)?: invalid type: (?:sequence|map), expected a string/,
  /type mismatch of '\/messages\/\d+\/content', 'array' not in 'string'/,
  /untagged enum \w{0,40}content\b/,
  /\bcontent\W{1,4}expected a string\b/,
  /invalid message content type/,
  /can only concatenate str \(not \W?list\W?\) to str/,
]

// The same of absent content, which says nothing against lists: images stay (Ollama, llama.cpp and others).
const notAbsent: readonly RegExp[] = [
  /messages\[\d+\](?:\.content)?: invalid type: null, expected a string/,
  /type mismatch of '\/messages\/\d+\/content', 'null' not in 'string'/,
  /content\b[^.;]{0,20}(?:none|null) is not (?:an allowed value|allowed)/,
  /content\b[^.;]{0,40}string\b[^.;]{0,20}\b(?:got|received|not) \W?(?:null|none(?:_?type)?)\b/,
  /invalid message content type\W{1,4}nil\b|missing field \W?content\b|missing \W?content\W? in message/,
  /can only concatenate str \(not \W?none_?type\W?\) to str/,
]

function wantsText({ text }: Words): readonly Amendment[] {
  const [isAbsent, isList] = [notAbsent, notText].map((all) => all.some((saying) => saying.test(text)))
  return [
    ...(isAbsent ? [{ kind: "absent" } as const] : []),
    ...(isAbsent || isList ? [{ kind: "text" } as const] : []),
  ]
}
