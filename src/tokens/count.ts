// The exact counter: js-tiktoken with o200k_base. Building it takes a quarter of a second and 135 MB, so nothing
// is loaded before the first text is counted, and nothing on a request's path counts this way.
import { estimateText } from "./estimate.ts"
import { type Countable, type Piece, partsOf, piecesOf, type TokenParts } from "./pieces.ts"
import { slicesOf } from "./slices.ts"

export interface Counter {
  /** Tokens of a text in o200k_base. Runs no language has (1000 letters without a break) are estimated. */
  readonly count: (text: string) => Promise<number>
}

export interface CounterOptions {
  /** Awaited between slices of a few thousand characters, so that a long text does not hold everything up. */
  readonly pause?: () => Promise<void>
}

type Encode = (text: string) => number

async function loadEncode(): Promise<Encode> {
  const [{ Tiktoken }, ranks] = await Promise.all([
    import("js-tiktoken/lite"),
    import("js-tiktoken/ranks/o200k_base"),
  ])
  const encoding = new Tiktoken(ranks.default)
  // Two empty lists: words like <|endoftext|> are text here, neither special nor forbidden.
  return (text) => encoding.encode(text, [], []).length
}

/** A counter that loads its vocabulary on first use and keeps it. Its promises reject only if that fails. */
export function createCounter(options: CounterOptions = {}): Counter {
  let loading: Promise<Encode> | undefined
  const count = async (text: string): Promise<number> => {
    if (text === "") return 0
    loading ??= loadEncode()
    const encode = await loading
    let tokens = 0
    for (const slice of slicesOf(text)) {
      tokens += slice.exact ? encode(slice.text) : estimateText(slice.text)
      if (options.pause !== undefined) await options.pause()
    }
    return tokens
  }
  return { count }
}

async function countPieces(pieces: readonly Piece[], counter: Counter): Promise<number> {
  let sum = 0
  for (const piece of pieces) sum += typeof piece === "number" ? piece : await counter.count(piece)
  return sum
}

/** As estimateParts, with the texts counted; pictures and documents are estimates here too. */
export async function countParts(request: Countable, counter: Counter): Promise<TokenParts> {
  const pieces = piecesOf(request)
  const system = await countPieces(pieces.system, counter)
  const tools: { name: string; tokens: number }[] = []
  for (const tool of pieces.tools) {
    tools.push({ name: tool.name, tokens: await countPieces(tool.pieces, counter) })
  }
  let messages = 0
  for (const message of pieces.messages) messages += await countPieces(message, counter)
  return partsOf(system, tools, messages)
}
