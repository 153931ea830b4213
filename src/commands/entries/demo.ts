// `demo` in the command table.
import { type Described, type Invocation, withFlags } from "./entry.ts"

/** The entry of `demo`. */
export function demoEntry({ io }: Invocation): Described {
  return {
    name: "demo",
    description: "Play one streamed request through the proxy, without any key",
    args: {
      once: { type: "boolean", description: "Exit after the request instead of serving on" },
      port: { type: "string", valueHint: "port", description: "Port to listen on; 0: a free one" },
    },
    examples: [
      ["claude-proxy demo", "see it, then try claude against it"],
      ["claude-proxy demo --once", "see it and be done"],
    ],
    run: (given) =>
      withFlags("demo", given, io, async (flags) => {
        const { demo: play } = await import("../demo/demo.ts")
        return play(flags, io)
      }),
  }
}
