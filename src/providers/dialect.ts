// What changes in a profile when OpenAI's Responses API is spoken in place of Chat Completions
// (OpenAI API reference, Responses; 2026-11).
import { applyDelta } from "./base-profile.ts"
import type { ProfileDelta, ProviderProfile } from "./profile.ts"

const responses: ProfileDelta = {
  // There is no such parameter: all stop sequences are watched for here.
  stopMax: 0,
  // Items of the system stand where they were said.
  midSystem: "inline",
  prefill: "instruction",
  toolIdMaxLength: 64,
  responseFormat: "json_schema",
}

/** A profile as its own dialect has it. */
export function inDialect(profile: ProviderProfile): ProviderProfile {
  if (profile.dialect !== "responses") return profile
  const { reasoning, searchesInResponses } = profile
  // A model without reasoning refuses to be asked for any; the others are told by words of effort alone.
  const back: ProfileDelta["reasoning"] =
    reasoning.request === "none"
      ? { sendBack: "never" }
      : { request: "effort", sendBack: "all-turns", sendBackAs: "items", sendBackWhenOff: true }
  return applyDelta(profile, {
    ...responses,
    ...(searchesInResponses ? { webSearch: "hosted" } : { webSearch: "none" }),
    reasoning: { ...back, backfill: null, withTools: null, thinkTags: "never" },
  })
}
