// What the reading of calls is told about a request.
import type { JsonObject } from "../../protocol/json.ts"
import type { ToolNames } from "./tool-names.ts"

export interface ToolOptions extends ToolNames {
  /** Ids that the conversation already uses: a client (Claude Code 2.1) drops a call whose id it has seen. */
  readonly seenIds: ReadonlySet<string>
  /** Unique per reply, `[A-Za-z0-9]`; minted ids are made from it. */
  readonly idSeed: string
  /** The client's own schemas by its own names; complete arguments are compared with them for the log. */
  readonly schemas?: ReadonlyMap<string, JsonObject> | undefined
  /**
   * Arguments go out in one piece, and as JSON whatever came: Anthropic's SDK (1.11.0) throws at anything else
   * and ends the stream, where Claude Code recovers.
   */
  readonly wholeArguments?: boolean | undefined
}
