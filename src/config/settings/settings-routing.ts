// The rows of the table of settings that say where requests go: to which upstream, and to which of its models.
import { most, type SettingRow, secret, text, tokens, word } from "./setting.ts"

export const upstream = [
  {
    name: "OPENAI_API_KEY",
    ...secret,
    doc: "Key of the default upstream; several, comma-separated, take turns. Unset: the provider's own variable.",
  },
  {
    name: "OPENAI_BASE_URL",
    kind: "string",
    default: "https://api.openai.com/v1",
    doc: "Where requests go. A host that the provider table knows brings that provider's rules.",
  },
  {
    name: "AZURE_API_VERSION",
    ...text,
    doc: "api-version sent to Azure OpenAI (2024-10-21 when unset). When set, the default upstream is Azure.",
  },
] as const satisfies readonly SettingRow[]

export const models = [
  {
    name: "BIG_MODEL",
    ...text,
    doc: "Model for opus and every other large Claude model. Unset: the provider's own choice (gpt-4o).",
  },
  { name: "MIDDLE_MODEL", ...text, doc: "Model for sonnet. Unset: BIG_MODEL." },
  {
    name: "SMALL_MODEL",
    ...text,
    doc: "Model for haiku. Unset: the provider's own choice (gpt-4o-mini), or BIG_MODEL.",
  },
  {
    name: "CUSTOM_MODELS_FILE",
    ...text,
    flag: "--config",
    doc: "File of models of your own. Unset: models.yaml beside the .env, or in the configuration folder.",
  },
] as const satisfies readonly SettingRow[]

export const routing = [
  {
    name: "ROUTER_DEFAULT",
    ...text,
    doc: "Model for whatever no other rule takes. With any ROUTER_ setting requests are routed by their content.",
  },
  { name: "ROUTER_BACKGROUND", ...text, doc: "Model for haiku: small tasks in the background." },
  { name: "ROUTER_THINK", ...text, doc: "Model for requests with thinking switched on." },
  { name: "ROUTER_LONG_CONTEXT", ...text, doc: "Model for requests above LONG_CONTEXT_THRESHOLD." },
  {
    name: "LONG_CONTEXT_THRESHOLD",
    ...tokens("128000", [1, most]),
    doc: "Tokens (128k is 131072) from which a request is long; so is one that exceeds its model's window.",
  },
  {
    name: "DEEPSEEK_THINKING",
    ...word,
    doc: "true, false or auto (by the task). When set, the default upstream is spoken to as DeepSeek is.",
  },
  {
    name: "PROMPT_TUNING",
    kind: "enum",
    default: "off",
    doc: "auto: temperature and top_p by the kind of task, where the client sends none.",
  },
] as const satisfies readonly SettingRow[]
