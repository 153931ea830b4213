// Records and stores for tests of instances.
import type { InstanceRecord } from "../../src/commands/instances/record.ts"

/** A record of a proxy that runs; whatever matters to a test is given. */
export function recordOf(more: Partial<InstanceRecord> = {}): InstanceRecord {
  return {
    name: "kimi",
    id: "id-of-kimi",
    state: "running",
    keep: false,
    detached: true,
    pid: null,
    host: "127.0.0.1",
    port: 1,
    freePort: false,
    url: "",
    version: "0.0.0",
    startedAt: "2026-01-31T10:00:00.000Z",
    argv: [],
    cwd: "/",
    envFile: null,
    log: "/nowhere.log",
    fromEnvironment: [],
    facts: null,
    ...more,
  }
}

/** Runs `action` as if on Windows, where nothing here answers for the command line of a process. */
export async function onWindows<T>(action: () => Promise<T>): Promise<T> {
  const { platform } = process
  Object.defineProperty(process, "platform", { value: "win32" })
  try {
    return await action()
  } finally {
    Object.defineProperty(process, "platform", { value: platform })
  }
}
