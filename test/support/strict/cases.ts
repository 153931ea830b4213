// Changes that many tables of the validators' tests share, and the two ways of reading such a table.
import { describe, expect, test } from "bun:test"
import { strictProvider } from "./providers.ts"
import { all, bash, type Change, call, fields, message, messages, sampleFor } from "./sample.ts"

/** By model: what is wrong, the change that makes it so, the reason that is given. */
type Refusals = Readonly<Record<string, readonly (readonly [what: string, change: Change, why: RegExp])[]>>
/** By model: what is unusual and fine, and the change that makes it so. */
type Accepted = Readonly<Record<string, readonly (readonly [what: string, change: Change])[]>>

export function describeRefusals(id: string, models: Refusals): void {
  for (const [model, cases] of Object.entries(models)) {
    describe(`${id} refuses for ${model}`, () => {
      test.each([...cases])("%s", (_, change, why) => {
        const reasons = strictProvider(id).check(change(sampleFor(id, model)), model)
        expect(reasons.filter((reason) => why.test(reason))).not.toEqual([])
      })
    })
  }
}

export function describeAccepted(id: string, models: Accepted): void {
  for (const [model, cases] of Object.entries(models)) {
    describe(`${id} accepts for ${model}`, () => {
      test.each([...cases])("%s", (_, change) => {
        expect(strictProvider(id).check(change(sampleFor(id, model)), model)).toEqual([])
      })
    })
  }
}

export const forced = fields({ tool_choice: { type: "function", function: { name: "Bash" } } })
export const required = fields({ tool_choice: "required" })
export const png = "data:image/png;base64,iVBORw0KGgo="

export const image = (url: string): Change =>
  message(0, {
    content: [
      { type: "text", text: "Look:" },
      { type: "image_url", image_url: { url } },
    ],
  })

export const developer = messages({ role: "developer", content: "Be brief." }, 0, 1, 2, 3)
const late = { role: "system", content: "Mind it." }
export const lateSystem = messages(0, 1, 2, 3, late, { role: "user", content: "Yes." })
export const twoUsers = messages(0, 1, 2, 3, { role: "user", content: "And?" })
export const prefill = messages(0, 1, 2, 3, { role: "assistant", content: "The answer is" })
export const noReasoning = message(1, { reasoning_content: undefined })

export const thinking = (type: string, more = {}): Change => fields({ thinking: { type, ...more } })
export const off = thinking("disabled")

export const stops = (count: number): Change =>
  fields({ stop: Array.from({ length: count }, (_, at) => `stop ${at}`) })

export const tools = (count: number): Change => {
  const tool = (at: number) => ({ ...bash, function: { ...bash.function, name: `tool_${at}` } })
  return fields({ tools: Array.from({ length: count }, (_, at) => tool(at)) })
}

export const jsonSchema = {
  name: "response",
  schema: { type: "object", properties: { title: { type: "string" } } },
}

export const format = (type: string): Change =>
  fields({ response_format: { type, ...(type === "json_schema" ? { json_schema: jsonSchema } : {}) } })

export const noTools = fields({ tools: undefined })
export const noHistory = all(noTools, messages(0))
export const longId = "a".repeat(41)
export const ids = (id: string): Change => all(call({ id }), message(2, { tool_call_id: id }))
