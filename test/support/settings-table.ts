// README's table of settings, made from the one in the code.
import { settings } from "../../src/config/settings/settings.ts"

/** Markdown between README's two marks; the last row stands for every CUSTOM_HEADER_ variable. */
export function renderSettingsTable(): string {
  const rows = settings.map(({ name, default: value, doc }) => {
    return `| \`${name}\` | ${value ?? ""} | ${doc} |`
  })
  const custom =
    "| `CUSTOM_HEADER_*` | | `CUSTOM_HEADER_X_TEAM=a` sends `X-Team: a` with every upstream request. |"
  return ["| setting | default | meaning |", "|---|---|---|", ...rows, custom].join("\n")
}
