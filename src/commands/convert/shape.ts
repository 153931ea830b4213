// Is a reply or a stream what its kind must be? The proxy forgives its upstreams much; who converts a file
// wants to hear what is wrong with it.
import { z } from "zod"
import { isErrorJson } from "../../protocol/errors/upstream-error.ts"
import { type JsonObject, objectOf } from "../../protocol/json.ts"
import { type Known, kinds } from "./input.ts"

const object = z.looseObject({})

const ChatReply = z.looseObject({
  choices: z.array(z.looseObject({ message: object.optional() })).min(1, "must not be empty"),
})

const MessagesReply = z.looseObject({
  content: z.array(z.looseObject({ type: z.string() })),
})

const MessageStart = z.looseObject({ message: object })
const BlockStart = z.looseObject({ index: z.number(), content_block: z.looseObject({ type: z.string() }) })
const BlockDelta = z.looseObject({ index: z.number(), delta: z.looseObject({ type: z.string() }) })
const MessageDelta = z.looseObject({ delta: object })

/** What is wrong with `input`, with its JSON path (`choices.0.message: …`); undefined when nothing is. */
export function shapeProblem(input: Known): string | undefined {
  switch (input.kind) {
    case "chat-reply":
      return isErrorJson(input.reply) ? undefined : problem(ChatReply, input.reply, input.kind, "")
    case "messages-reply":
      return input.reply["type"] === "error" ? undefined : problem(MessagesReply, input.reply, input.kind, "")
    case "messages-stream":
      return streamProblem(input.events.map(objectOf))
    default:
      return undefined
  }
}

function streamProblem(events: readonly JsonObject[]): string | undefined {
  for (const [position, event] of events.entries()) {
    const schema = schemaOf(event["type"])
    const found = schema && problem(schema, event, "messages-stream", `event ${position + 1}: `)
    if (found !== undefined) return found
  }
  return undefined
}

function schemaOf(type: unknown): z.ZodType | undefined {
  switch (type) {
    case "message_start":
      return MessageStart
    case "content_block_start":
      return BlockStart
    case "content_block_delta":
      return BlockDelta
    case "message_delta":
      return MessageDelta
    default:
      return undefined
  }
}

function problem(schema: z.ZodType, value: unknown, kind: Known["kind"], where: string): string | undefined {
  const parsed = schema.safeParse(value)
  if (parsed.success) return undefined
  const [issue] = parsed.error.issues
  return `not ${kinds[kind].name}: ${where}${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not valid"}`
}
