// Tool names and call ids in the form an upstream takes: pure functions of the original, so that the same
// history gives the same bytes on every turn and the provider's prefix cache stays warm.
import type { ProviderProfile } from "../../providers/profile.ts"
import { digest } from "../common/digest.ts"

const plainName = /^[a-zA-Z0-9_-]+$/
const firstLetter = /^[a-zA-Z]/
const nineOfThem = /^[a-zA-Z0-9]{9}$/

/** A function name out of `[a-zA-Z0-9_-]` as the provider takes it; the same when it is one already. */
export function mapToolName(
  name: string,
  {
    toolNameMaxLength: max,
    toolNameLetterFirst,
  }: Pick<ProviderProfile, "toolNameMaxLength" | "toolNameLetterFirst">,
): string {
  const begins = !toolNameLetterFirst || firstLetter.test(name)
  if (begins && name.length <= max && plainName.test(name)) return name
  const clean = (begins ? name : `t_${name}`).replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, max - 9)
  return `${clean}_${digest(name).slice(0, 8)}`
}

/** What a call's id may be made of, besides the id itself. */
interface NumberedCall {
  /** The tool's name as it is sent. */
  readonly name: string
  /** How many calls the conversation has before it. */
  readonly count: number
}

/** A call id in the provider's form; the same when it has that form already. */
export function mapToolId(
  id: string,
  { toolIds, toolIdMaxLength }: Pick<ProviderProfile, "toolIds" | "toolIdMaxLength">,
  { name, count }: NumberedCall,
): string {
  switch (toolIds) {
    case "counted": {
      const counted = `functions.${name}:${count}`
      return counted.length <= toolIdMaxLength ? counted : plainId(id, toolIdMaxLength)
    }
    case "any":
      return plainId(id, toolIdMaxLength)
    case "alnum9":
      return nineOfThem.test(id) ? id : nineOf(digest(id))
    default:
      return toolIds satisfies never
  }
}

function plainId(id: string, max: number): string {
  if (id.length <= max && plainName.test(id)) return id
  return `call_${digest(id)}${digest(`${id}#`)}`.slice(0, max)
}

/** Nine digits and letters of base 36 out of sixteen hexadecimal digits. */
function nineOf(hex: string): string {
  const halves = [hex.slice(0, 8), hex.slice(8)].map((half) => Number.parseInt(half, 16).toString(36))
  return halves
    .map((half) => half.padStart(7, "0").slice(-7))
    .join("")
    .slice(-9)
}
