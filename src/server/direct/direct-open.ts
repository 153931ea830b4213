// A request to an upstream that speaks Messages, repeated until its reply begins: with an event of a stream
// that is no error, or with a whole document. A stream that nobody asked for is read to its end as a document.
import type { Fault } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { Route } from "../../providers/route.ts"
import { attempt } from "../../upstream/attempts.ts"
import type { Batches } from "../../upstream/batches.ts"
import {
  type DirectFailure,
  type DirectHead,
  type DirectInput,
  type DirectSendOptions,
  type Refusal,
  refusalOf,
  sendDirect,
} from "../../upstream/direct.ts"
import { type KeyTurn, sendInTurn } from "../keys/keys.ts"
import { createJudge } from "./direct-judge.ts"

export type DirectOpening =
  | {
      readonly ok: true
      readonly kind: "stream"
      readonly head: DirectHead
      readonly batches: Batches<DirectInput>
    }
  | {
      readonly ok: true
      readonly kind: "document"
      readonly head: DirectHead
      readonly bytes: Uint8Array<ArrayBuffer>
      readonly json: JsonObject
    }
  | DirectFailure

export interface DirectOpenOptions extends DirectSendOptions {
  /** The keys to send, one after the other. */
  readonly keys: KeyTurn
  readonly maxRetries: number
  /** Another upstream is there for the same request. */
  readonly hasNext?: () => boolean
  readonly onRetry: (fault: Fault, attempt: number, waitMs: number) => void
  /** Called whenever a request leaves, and once when the last one of them is being answered. */
  readonly onSend?: () => void
  readonly onAnswer?: () => void
}

/** Sends `text` until the reply begins or must be given up. Never rejects. */
export async function openDirect(
  route: Route,
  text: string,
  headers: Headers,
  options: DirectOpenOptions,
): Promise<DirectOpening> {
  const { errors, keys } = options
  let head: DirectHead = { status: 200, headers: {} }
  let refusal: Refusal | undefined
  const expected = { stream: options.stream, message: options.endpoint === "" }
  let judge = createJudge(errors, expected)
  const opening = await attempt<DirectOpenOptions, DirectInput>(options, {
    open: async () => {
      const sent = await sendInTurn(keys, route, options, (to) => {
        options.onSend?.()
        return sendDirect(to, text, headers, options)
      })
      refusal = sent.ok ? undefined : sent.refusal
      if (sent.ok) head = sent.head
      judge = createJudge(errors, expected)
      return sent
    },
    scale: () => (batch) => {
      const worth = judge.weigh(batch)
      const said = judge.error()
      if (said !== undefined && typeof worth !== "string") {
        const json = { ...head.headers, "content-type": "application/json" }
        refusal = refusalOf({ status: worth.status, headers: json }, said, errors)
      }
      return worth
    },
    // A key may also be refused inside a reply that began well; of all else the turn has heard already.
    amend: (_options, failed) => keys.failed(failed.fault),
    hasNext: options.hasNext,
    random: Math.random,
    onRetry: (_options, ...failed) => options.onRetry(...failed),
  })
  if (!opening.ok) return { ok: false, fault: opening.fault, ...(refusal === undefined ? {} : { refusal }) }
  keys.worked()
  options.onAnswer?.()
  const json = judge.document()
  if (json === undefined) return { ok: true, kind: "stream", head, batches: opening.batches }
  const bytes = await readAll(opening.batches)
  if (!judge.folded()) return { ok: true, kind: "document", head, bytes, json }
  const asJson = { ...head.headers, "content-type": "application/json" }
  return {
    ok: true,
    kind: "document",
    head: { ...head, headers: asJson },
    bytes: Buffer.from(JSON.stringify(json)),
    json,
  }
}

async function readAll(batches: Batches<DirectInput>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  for (let batch = batches.next(); batch !== undefined; batch = batches.next()) {
    if (batch instanceof Promise) await batch
    else for (const input of batch) if (input.kind === "bytes") chunks.push(input.bytes)
  }
  return Buffer.concat(chunks)
}
