// What comes with a chat reply besides text, reasoning and calls: sources of a web search, pictures, and sound.
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { Delta, SearchResult } from "../common/delta.ts"
import { none, otherText, type ReaderState, type Step, take } from "./reader-text.ts"
import { foundPages, readPage } from "./search.ts"

/**
 * The sources of a search that was asked for, wherever the provider puts them: `annotations` (OpenAI,
 * OpenRouter), `web_search` (Zhipu), `citations` and `search_results` (Perplexity, xAI).
 */
export function readSources(state: ReaderState, content: JsonObject): void {
  if (state.options.search === undefined) return
  foundPages(state, [
    ...arrayOf(content["annotations"]).filter(isObject).flatMap(readAnnotation),
    ...arrayOf(content["web_search"]).filter(isObject).flatMap(readPage),
    ...arrayOf(content["search_results"]).filter(isObject).flatMap(readPage),
    ...arrayOf(content["citations"]).flatMap((url) => (typeof url === "string" ? [{ url, title: url }] : [])),
  ])
}

function readAnnotation(annotation: JsonObject): readonly SearchResult[] {
  return readPage(objectOf(annotation["url_citation"]))
}

/** Pictures and sound have no block of their own in the Messages API: words stand for them. */
export function readMedia(state: ReaderState, content: JsonObject, out: Delta[]): void {
  const { audio } = content
  if (isObject(audio)) take(readAudio(state, audio, content), out)
  const images = arrayOf(content["images"]).length
  if (images === 0) return
  take(otherText(state, images === 1 ? "[image omitted]" : `[${images} images omitted]`), out)
}

/** The words that are said, unless they stand in the content as well. */
function readAudio(state: ReaderState, audio: JsonObject, { content }: JsonObject): Step {
  state.sounds = true
  const transcript = textOf(audio["transcript"])
  const isWritten = typeof content === "string" ? content.trim() !== "" : arrayOf(content).length > 0
  return transcript === undefined || isWritten ? none : otherText(state, transcript)
}
