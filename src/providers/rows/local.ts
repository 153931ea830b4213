// Servers that people run themselves.
import { gptOssEfforts, type ModelRule } from "../models.ts"
import type { ProviderRow } from "../row.ts"

// Their chat templates open the thinking themselves: without a reasoning parser only the closing tag is sent.
const opened: ModelRule = {
  match: /^(deepseek-(r1|v4)|qwq|qwen3.*thinking|minimax-m2)/,
  delta: { reasoning: { thinkTags: "implicit" } },
}

export const ollama: ProviderRow = {
  id: "ollama",
  name: "Ollama",
  baseUrl: "http://localhost:11434/v1",
  native: "http://localhost:11434",
  keyNames: [],
  tiers: null,
  port: "11434",
  delta: {
    // tool_choice is accepted and ignored; so the offered tools are all that can be chosen by.
    toolChoice: { any: "required", named: "only-tool", none: "drop-tools" },
    imageUrls: false,
    drop: ["parallel_tool_calls", "tool_choice"],
    reasoning: {
      request: "effort",
      // Thinking models think by themselves; to ask any other model for it is an error, as is a degree
      // that a model does not know (ollama/ollama server/routes.go, 2026-03; ollama/ollama#12561).
      levels: { off: "none" },
      replyFields: ["reasoning", "reasoning_content"],
      sendBack: "tool-turns",
      sendBackAs: "reasoning",
    },
  },
  models: [{ match: /^gpt-oss/, delta: { reasoning: { levels: gptOssEfforts } } }],
  source: "docs.ollama.com, OpenAI compatibility; 2026-11",
}

export const lmstudio: ProviderRow = {
  id: "lmstudio",
  name: "LM Studio",
  baseUrl: "http://localhost:1234/v1",
  native: "http://localhost:1234",
  keyNames: [],
  tiers: null,
  makersNames: true,
  port: "1234",
  delta: {
    // Only words are taken for tool_choice, no names.
    toolChoice: { any: "required", named: "only-tool" },
    schema: "llama",
    imageUrls: false,
    // Outputs of calls are text alone (lmstudio-bug-tracker#2248).
    mediaInResults: false,
    drop: ["parallel_tool_calls"],
    allow: ["top_k"],
    reasoning: {
      replyFields: ["reasoning", "reasoning_content"],
      sendBack: "tool-turns",
      sendBackAs: "reasoning",
    },
  },
  models: [opened],
  source: "lmstudio.ai/docs, OpenAI compatibility; 2026-10",
}

export const vllm: ProviderRow = {
  id: "vllm",
  name: "vLLM",
  baseUrl: "http://localhost:8000/v1",
  native: "http://localhost:8000",
  keyNames: [],
  tiers: null,
  relay: true,
  delta: {
    allow: ["top_k"],
    prefill: "continue-final",
    toolChoice: { any: "required", named: "named" },
    reasoning: {
      request: "template",
      templateKeys: ["enable_thinking", "thinking"],
      replyFields: ["reasoning", "reasoning_content"],
      sendBack: "tool-turns",
      // The field was renamed in January 2026 (vllm-project/vllm#33402): both are read by somebody.
      sendBackAs: "both",
    },
  },
  models: [opened, { match: /^gpt-oss/, delta: { reasoning: { request: "effort", levels: gptOssEfforts } } }],
  source: "docs.vllm.ai, OpenAI-compatible server; vllm-project/vllm#27752; 2026-10",
}

export const llamacpp: ProviderRow = {
  id: "llamacpp",
  name: "llama.cpp",
  baseUrl: "http://localhost:8080/v1",
  native: "http://localhost:8080",
  keyNames: [],
  tiers: null,
  makersNames: true,
  delta: {
    schema: "llama",
    imageUrls: false,
    // Outputs of calls are text alone (llama.cpp#20663, #27958).
    mediaInResults: false,
    allow: ["top_k"],
    // A named tool is silently taken for "auto".
    toolChoice: { any: "required", named: "only-tool" },
    reasoning: {
      request: "template",
      templateKeys: ["enable_thinking", "thinking"],
      replyFields: ["reasoning_content", "reasoning"],
      sendBack: "tool-turns",
      sendBackAs: "reasoning_content",
    },
  },
  models: [opened, { match: /^gpt-oss/, delta: { reasoning: { request: "effort", levels: gptOssEfforts } } }],
  source: "ggml-org/llama.cpp, tools/server/README.md and docs/function-calling.md; 2026-10",
}
