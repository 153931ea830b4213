// What one of our processes tells another that it starts: through the environment, where no shell mangles it.
import { compiled } from "../common/version.ts"
import { defined, type Environment } from "../terminal/io.ts"

const idVariable = "CLAUDE_PROXY_INSTANCE"
const parentVariable = "CLAUDE_PROXY_PARENT"
const workerVariable = "CLAUDE_PROXY_WORKER"
const trialVariable = "CLAUDE_PROXY_TRIAL"

/** For a proxy in the background: the id under which its name was claimed for it. */
export function backgroundEnvironment(env: Environment, id: string): Record<string, string> {
  return { ...defined(without(env)), [idVariable]: id }
}

/** For a process that reads the settings as that proxy would, says what is wrong with them, and ends. */
export function trialEnvironment(env: Environment, id: string): Record<string, string> {
  return { ...backgroundEnvironment(env, id), [trialVariable]: "1" }
}

/** For one whose output its parent shows: it ends when its standard input does. */
export function childEnvironment(env: Environment, terminal: boolean): Record<string, string> {
  return { ...defined(without(env)), [parentVariable]: terminal ? "terminal" : "pipe" }
}

/** For one of several processes that answer on one port; `more` is added. */
export function workerEnvironment(env: Environment, more: Environment): Record<string, string> {
  return { ...defined({ ...without(env), ...more }), [workerVariable]: "1" }
}

/** Is this process one that the main one of them has started, and talks to? */
export function isWorker(env: Environment): boolean {
  return (env[workerVariable] ?? "") !== "" && process.send !== undefined
}

interface Inherited {
  /** Set: this process is the instance of that id, in the background. */
  readonly id: string | undefined
  /** Is there a parent to live as long as? */
  readonly hasParent: boolean
  /** The output is shown on a terminal, though it is a pipe. */
  readonly terminal: boolean
  /** Its settings are to be read, and nothing else. */
  readonly trial: boolean
}

/** What this process was told. */
export function inherited(env: Environment): Inherited {
  const id = env[idVariable] ?? ""
  const parent = env[parentVariable] ?? ""
  const trial = (env[trialVariable] ?? "") !== ""
  return { id: id === "" ? undefined : id, hasParent: parent !== "", terminal: parent === "terminal", trial }
}

interface ParentWatch {
  /** Resolves when the parent is gone; never without one. */
  readonly gone: Promise<string>
  readonly release: () => void
}

/** A parent that is killed cannot tell its children; the end of their standard input does. */
export function parentGone(env: Environment): ParentWatch {
  const { promise: gone, resolve } = Promise.withResolvers<string>()
  if (!inherited(env).hasParent) return { gone, release: () => {} }
  const reader = Bun.stdin.stream().getReader()
  const watch = async () => {
    while (!(await reader.read()).done);
    resolve("the process that started this one has ended")
  }
  watch().catch(() => resolve("standard input is closed"))
  return { gone, release: () => void reader.cancel().catch(() => {}) }
}

function without(env: Environment): Environment {
  const {
    [idVariable]: _id,
    [parentVariable]: _parent,
    [workerVariable]: _worker,
    [trialVariable]: _trial,
    ...rest
  } = env
  return rest
}

/** The command line of this program, as it was started itself: the binary, or Bun with the entry file. */
export function ownProgram(): readonly string[] {
  const entry = compiled ? [] : [...process.execArgv, process.argv[1] ?? ""]
  return [process.execPath, ...entry]
}
