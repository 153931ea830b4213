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

/** A profile as its own dialect has it; what the user has `asked` for counts most, where it has a meaning there. */
export function inDialect(
  profile: ProviderProfile,
  asked: readonly ProfileDelta[] = noWishes,
): ProviderProfile {
  if (profile.dialect !== "responses") return profile
  const { reasoning, searchesInResponses, pdf } = profile
  // A model without reasoning refuses to be asked for any; the others are told by words of effort alone.
  const back: ProfileDelta["reasoning"] =
    reasoning.request === "none"
      ? { sendBack: "never" }
      : { request: "effort", sendBack: "all-turns", sendBackAs: "items", sendBackWhenOff: true }
  const spoken = applyDelta(profile, {
    ...responses,
    ...(searchesInResponses ? { webSearch: "hosted" } : { webSearch: "none" }),
    // What takes files as data in Chat Completions fetches them as well here (OpenAI, file inputs; 2026-11).
    documentUrls: pdf === "file",
    reasoning: { ...back, backfill: null, withTools: null, thinkTags: "never" },
  })
  return asked.map(meaningful).reduce(applyDelta, spoken)
}

const noWishes: readonly ProfileDelta[] = Object.freeze([])

/** No other search than the API's own can be had, and reasoning goes back in one form only. */
function meaningful(asked: ProfileDelta): ProfileDelta {
  const { midSystem, responseFormat, toolIdMaxLength, documentUrls, webSearch, reasoning } = asked
  return {
    ...(midSystem === undefined ? {} : { midSystem }),
    ...(responseFormat === undefined ? {} : { responseFormat }),
    ...(toolIdMaxLength === undefined ? {} : { toolIdMaxLength }),
    ...(documentUrls === undefined ? {} : { documentUrls }),
    ...(webSearch === "none" ? { webSearch } : {}),
    ...(reasoning?.sendBack === "never" ? { reasoning: { sendBack: "never" } } : {}),
  }
}
