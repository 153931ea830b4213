// What the processes of one proxy say to each other: the main one has the settings and the figures of all.
import type { Config } from "../../config/config.ts"
import { isObject } from "../../protocol/json.ts"
import type { OtherShares, Share, WorkerCount } from "../../server/figures/siblings.ts"
import type { LogWishes } from "../common/logging.ts"

export type ToWorker =
  /** With everything it needs to begin. */
  | {
      readonly kind: "start"
      readonly worker: number
      readonly port: number
      readonly config: Config
      readonly wishes: LogWishes
      readonly instance: { readonly name: string; readonly id: string } | undefined
      readonly count: WorkerCount
    }
  | { readonly kind: "reload"; readonly config: Config; readonly wishes: LogWishes }
  /** How many there are by now. */
  | { readonly kind: "count"; readonly count: WorkerCount }
  /** It is to say what it has counted; `write`: after it has written what it keeps on disk. */
  | { readonly kind: "tell"; readonly id: number; readonly write: boolean }
  /** What the others have counted, which it wanted to know. */
  | ({ readonly kind: "others"; readonly id: number } & OtherShares)
  | { readonly kind: "stop"; readonly graceMs: number }

export type FromWorker =
  /** It is there, and of this version. */
  | { readonly kind: "hello"; readonly version: string }
  | { readonly kind: "listening" }
  | { readonly kind: "told"; readonly id: number; readonly share: Share }
  /** It wants to know what the others have counted, and says what it has itself. */
  | { readonly kind: "ask"; readonly id: number; readonly share: Share; readonly write: boolean }
  /** It ends, and this is what it had counted. */
  | { readonly kind: "last"; readonly share: Share }

/** The message of one kind. */
export type Of<Message extends { readonly kind: string }, Kind extends Message["kind"]> = Extract<
  Message,
  { readonly kind: Kind }
>

// Who talks here was started by the other side and is of the same version, which the first message makes sure of:
// what is in the others was made by this very code.
const toWorker = new Set<unknown>(["start", "reload", "count", "tell", "others", "stop"])
const fromWorker = new Set<unknown>(["hello", "listening", "told", "ask", "last"])

/** Is it something that the main process says? */
export function isToWorker(message: unknown): message is ToWorker {
  return isObject(message) && toWorker.has(message["kind"])
}

/** Is it something that a worker says? */
export function isFromWorker(message: unknown): message is FromWorker {
  return isObject(message) && fromWorker.has(message["kind"])
}
