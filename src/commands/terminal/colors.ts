// Colours for a terminal. What makes them asks at once whether there is one, which takes longer than a start may:
// it is loaded only where there is.

type Name = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan"

type Paint = (text: string) => string

type Colors = Readonly<Record<Name, Paint>>

const plain: Paint = (text) => text

const noColors: Colors = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
  blue: plain,
  magenta: plain,
  cyan: plain,
}

/** Functions that colour a text, or leave it as it is. */
export function createColors(enabled: boolean): Colors {
  if (!enabled) return noColors
  const picocolors: typeof import("picocolors") = require("picocolors")
  return picocolors.createColors(true)
}
