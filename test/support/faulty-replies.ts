// Replies that are none, or come to a bad end. The order is that of a reply: before its head, in its place, within it.
import { gzipSync } from "node:zlib"
import {
  again,
  asPage,
  begun,
  broken,
  cut,
  type FaultRow,
  fine,
  good,
  heard,
  inChat,
  once,
  overloaded,
  page,
  plain,
  short,
  silent,
  streamed,
  unreadable,
  wholeAs,
} from "./faulty-rows.ts"
import { headOf, lastChunk, sized } from "./faulty-upstream.ts"
import { wholeOf, wireOf } from "./faulty-wire.ts"

const beforeTheHead: Readonly<Record<string, FaultRow>> = {
  "a reset before the head": { steps: () => ["reset"], seen: cut },
  "closed before the head": { steps: () => ["fin"], seen: cut },
  "closed within the head": { steps: () => ["HTTP/1.1 200 O", "fin"], seen: cut },
  "another protocol": {
    steps: () => ["SSH-2.0-OpenSSH_9.9\r\n", "fin"],
    seen: { ...broken, words: /does not speak HTTP: check the port/ },
  },
  "a TLS alert": { steps: () => [Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70), "fin"], seen: cut },
  "a stall before the head": { steps: () => ["hang"], seen: silent },
  "a stall within the head": { steps: () => ["HTTP/1.1 200 OK\r\ncontent-ty", "hang"], seen: silent },
  "early hints, then well": {
    steps: (wire) => ["HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", ...good(wire)],
    seen: fine,
  },
  "a reset, then well": { steps: once(() => ["reset"]), seen: again },
}

const inItsPlace: Readonly<Record<string, FaultRow>> = {
  "200 as HTML": {
    steps: (_wire, secrets) => sized(200, page(secrets), asPage),
    seen: { ...broken, words: /an HTML page instead of a reply; check the base URL/, final: true },
  },
  "200 with nothing": { steps: ({ type }) => sized(200, "", { "content-type": type }), seen: unreadable },
  "204": { steps: () => [headOf(204, {}), "done"], seen: unreadable },
  "an error object": {
    steps: (wire, secrets) =>
      sized(200, wire.error(`it fell over; you sent ${secrets}`), { "content-type": wire.type }),
    seen: { ...overloaded, words: /it fell over/ },
  },
  "an error object, then well": {
    steps: once((wire) => sized(200, wire.error("it fell over"), { "content-type": wire.type })),
    seen: again,
  },
  "words in place of events": {
    steps: ({ type }, secrets) => sized(200, `upstream connect error: ${secrets}`, { "content-type": type }),
    seen: { ...broken, words: /upstream connect error: \[redacted\]/ },
  },
  "words as an event": {
    steps: ({ type }, secrets) =>
      sized(200, `data: upstream connect error: ${secrets}\n\n`, { "content-type": type }),
    seen: { ...broken, words: /upstream connect error: \[redacted\]/ },
  },
  "bytes in place of events": {
    steps: ({ type }) => sized(200, garbage, { "content-type": type }),
    seen: { ...broken, words: /bytes that are no text.*check the base URL/ },
  },
  "JSON that is nothing": {
    steps: ({ type, stream }) =>
      sized(200, stream ? 'data: {"hello":"world"}\n\n' : '{"hello":"world"}', { "content-type": type }),
    seen: {
      ...broken,
      words: /that (?:is|are) no message|holds nothing that could be one|before its reply began/,
    },
  },
  "the other dialect": {
    steps: ({ dialect, stream, type }) =>
      sized(200, wholeOf(wireOf(dialect === "chat" ? "native" : "chat", stream)), { "content-type": type }),
    seen: {
      ...broken,
      words: /that (?:is|are) no message|holds nothing that could be one|before its reply began/,
    },
  },
  "not compressed, though it says so": {
    steps: (wire) => wholeAs(wire, { "content-type": wire.type, "content-encoding": "gzip" }),
    seen: { ...broken, words: /says that its reply is compressed/ },
  },
  "compressed unasked": {
    steps: (wire) =>
      sized(200, gzipSync(wholeOf(wire)), { "content-type": wire.type, "content-encoding": "gzip" }),
    seen: fine,
  },
  "a document for a stream": {
    steps: ({ dialect }) =>
      sized(200, wholeOf(wireOf(dialect, false)), { "content-type": "application/json" }),
    only: streamed,
    seen: fine,
  },
  "a stream for a document": {
    steps: ({ dialect }) =>
      sized(200, wholeOf(wireOf(dialect, true)), { "content-type": "text/event-stream" }),
    only: plain,
    seen: fine,
  },
  "called text/plain": { steps: (wire) => wholeAs(wire, { "content-type": "text/plain" }), seen: fine },
  "called octet-stream": {
    steps: (wire) => wholeAs(wire, { "content-type": "application/octet-stream" }),
    seen: fine,
  },
  "called nothing": { steps: (wire) => wholeAs(wire, {}), seen: fine },
  "a document that ends too early": {
    steps: ({ begin, words, type }) => sized(200, begin + words, { "content-type": type }),
    only: plain,
    seen: { ...broken, words: /broken JSON instead of a reply/ },
  },
}

// Bytes that are no UTF-8, without any line.
const garbage = Uint8Array.from({ length: 500 }, (_, at) => 128 + ((at * 31) % 128))

const within: Readonly<Record<string, FaultRow>> = {
  "a stall behind the head": { steps: (wire) => [...begun(wire), "hang"], seen: silent },
  "a stall before the first word": { steps: (wire) => [...begun(wire, wire.begin), "hang"], seen: silent },
  "a stall after the first words": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words), "hang"],
    seen: { ...silent, said: true },
  },
  "a reset behind the head": { steps: (wire) => [...begun(wire), "reset"], seen: cut },
  "a reset before the first word": { steps: (wire) => [...begun(wire, wire.begin), "reset"], seen: cut },
  "a reset after the first words": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words), heard, "reset"],
    seen: { ...cut, said: true },
  },
  "closed within a chunked body": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words), heard, "fin"],
    seen: { ...cut, said: true },
  },
  "closed within a chunk": {
    steps: (wire) => [...begun(wire, wire.begin + wire.words), "fff\r\ndata: {", heard, "fin"],
    seen: { ...cut, said: true },
  },
  "a chunk of no size": {
    steps: (wire) => [...begun(wire, wire.begin), "what?\r\n", "hang"],
    seen: { ...cut, words: /broke: InvalidHTTPResponse/ },
  },
  "closed before the announced length, before the first word": {
    steps: (wire) => [...short(wire, wire.begin), "fin"],
    seen: cut,
  },
  "closed before the announced length": {
    steps: (wire) => [...short(wire, wire.begin + wire.words), heard, "fin"],
    seen: { ...cut, said: true },
  },
  "a body of no length, closed too early": {
    steps: ({ type, begin, words }) => [headOf(200, { "content-type": type }), begin + words, heard, "fin"],
    seen: { ...cut, words: /broken JSON|closed the connection/, said: true },
  },
  "a body of no length": {
    steps: (wire) => [headOf(200, { "content-type": wire.type }), wholeOf(wire), "fin"],
    seen: fine,
  },
  "a byte every 50 ms": {
    steps: (wire) => {
      const text = wholeOf(wire)
      return [
        headOf(200, { "content-type": wire.type, "content-length": `${Buffer.byteLength(text)}` }),
        { drip: text.slice(0, 90), everyMs: 50 },
        text.slice(90),
        "done",
      ]
    },
    seen: fine,
  },
  "no end": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words), lastChunk, "done"],
    only: streamed,
    seen: { ...cut, said: true },
  },
  "no end, and nothing said": {
    steps: (wire) => [...begun(wire, wire.begin), lastChunk, "done"],
    only: streamed,
    seen: cut,
  },
  "[DONE] and no finish": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words, "data: [DONE]\n\n"), lastChunk, "done"],
    only: (wire) => streamed(wire) && inChat(wire),
    seen: { attempts: 1, said: "Half an " },
  },
  "an error before the first word": {
    steps: (wire, secrets) => [
      ...begun(wire, wire.begin, wire.error(`it fell over; you sent ${secrets}`)),
      lastChunk,
      "done",
    ],
    only: streamed,
    seen: { ...overloaded, words: /it fell over/ },
  },
  "an error after the first words": {
    steps: (wire, secrets) => [
      ...begun(wire, wire.begin, wire.words, wire.error(`it fell over; you sent ${secrets}`)),
      lastChunk,
      "done",
    ],
    only: streamed,
    seen: { ...overloaded, words: /it fell over/, said: true },
  },
  "an error, and it does not go": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words, wire.error("it fell over")), "hang"],
    only: streamed,
    seen: { ...overloaded, words: /it fell over/, said: true },
  },
  "an end, and it does not go": {
    steps: (wire) => [...begun(wire, wholeOf(wire)), "hang"],
    only: streamed,
    seen: fine,
  },
  "noise between good events": {
    steps: (wire) =>
      sized(200, `${wire.begin}data: {"brok\n\n: comment\n\n${wire.words}\n\nnonsense\n\n${wire.rest}`, {
        "content-type": wire.type,
      }),
    only: (wire) => streamed(wire) && inChat(wire),
    seen: fine,
  },
}

export const faultyReplies: Readonly<Record<string, FaultRow>> = {
  ...beforeTheHead,
  ...inItsPlace,
  ...within,
}
