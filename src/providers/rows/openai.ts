// OpenAI, and the two that serve its models under rules of their own.
import type { ModelRule } from "../models.ts"
import type { ProfileDelta } from "../profile.ts"
import type { ProviderRow } from "../row.ts"

const openaiDelta: ProfileDelta = {
  toolIdMaxLength: 40,
  maxTools: 128,
  pdf: "file",
  strictTools: true,
  promptCacheKey: true,
  sendStoreFalse: true,
  // Its own server reads the calls of its models: what looks like one in the text is text.
  textToolCalls: false,
  searchesInResponses: true,
}

// "developer" is OpenAI's word for its reasoning models; compatible servers refuse it.
const openaiModels: readonly ModelRule[] = [
  { match: /^(o\d|gpt-[5-9])(?!.*chat)/, delta: { systemRole: "developer" } },
]

export const openai: ProviderRow = {
  id: "openai",
  name: "OpenAI",
  baseUrl: "https://api.openai.com/v1",
  native: null,
  keyNames: ["OPENAI_API_KEY"],
  tiers: { big: "gpt-4o", small: "gpt-4o-mini" },
  delta: {
    ...openaiDelta,
    hosts: ["api.openai.com", ".api.openai.com"],
    allow: ["service_tier"],
  },
  models: openaiModels,
  source: "OpenAI API reference, Chat Completions; 2026-11",
}

export const azure: ProviderRow = {
  id: "azure",
  name: "Azure OpenAI",
  baseUrl: null,
  native: null,
  keyNames: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
  tiers: null,
  delta: {
    ...openaiDelta,
    hosts: [".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com"],
    auth: "api-key",
    // Dated API versions know neither field (Azure OpenAI REST reference 2024-10-21).
    sendStoreFalse: false,
    promptCacheKey: false,
  },
  models: openaiModels,
  source: "Azure OpenAI REST reference, 2024-10-21 and v1; 2026-11",
}

export const copilot: ProviderRow = {
  id: "copilot",
  name: "GitHub Copilot",
  baseUrl: "https://api.githubcopilot.com",
  native: null,
  // The short-lived token of the Copilot API, not the GitHub token it is had for.
  keyNames: ["COPILOT_API_KEY"],
  tiers: { big: "gpt-4.1", small: "gpt-4o-mini" },
  delta: {
    hosts: ["api.githubcopilot.com", ".githubcopilot.com"],
    headers: {
      "user-agent": "GitHubCopilotChat/0.31.0",
      "editor-version": "vscode/1.104.0",
      "editor-plugin-version": "copilot-chat/0.31.0",
      "copilot-integration-id": "vscode-chat",
      "openai-intent": "conversation-panel",
      "x-github-api-version": "2025-04-01",
    },
    turnHeaders: { initiator: "x-initiator", vision: "copilot-vision-request" },
    imageUrls: false,
    maxTools: 128,
    reasoning: {
      replyFields: ["reasoning_text", "reasoning_content", "reasoning"],
      // The opaque half of the reasoning of Claude and Gemini goes back beside its text.
      sendBack: "all-turns",
      sendBackAs: "reasoning_text",
      backfill: null,
    },
  },
  models: [{ match: /^claude/, delta: { toolsForHistory: true } }],
  source: "ericc-ch/copilot-api lib/api-config.ts and pi's Copilot client; 2026-08",
}
