import type { ChatMessage } from "../../protocol/chat/chat.ts"

/** The assistant's turn between results and the user's words, where one has to stand there. */
export const between: ChatMessage = { role: "assistant", content: "..." }
