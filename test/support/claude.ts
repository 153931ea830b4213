// The real Claude Code CLI, installed on demand beside the project and run where it can reach nothing of ours.
import { mkdir } from "node:fs/promises"
import { resolve } from "node:path"
import type { Environment } from "./proxy.ts"

const root = resolve(import.meta.dir, "../..")

/**
 * The path of the CLI's executable for this machine, installed into `.cache/claude-VERSION` the first time.
 * Throws with the installer's output when that fails.
 */
export async function installClaude(version: string): Promise<string> {
  const folder = resolve(root, ".cache", `claude-${version}`)
  const present = await findExecutable(folder)
  if (present !== undefined) return present
  await mkdir(folder, { recursive: true })
  const manifest = { private: true, dependencies: { "@anthropic-ai/claude-code": version } }
  await Bun.write(`${folder}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`)
  // Its install script only links the platform's executable to another name, so scripts can stay off.
  const install = Bun.spawn([process.execPath, "install", "--ignore-scripts", "--no-save", "--no-progress"], {
    cwd: folder,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const output = await Promise.all([new Response(install.stdout).text(), new Response(install.stderr).text()])
  const code = await install.exited
  const executable = await findExecutable(folder)
  if (code !== 0 || executable === undefined) {
    throw new Error(`Claude Code ${version} could not be installed (exit ${code}):\n${output.join("")}`)
  }
  return executable
}

async function findExecutable(folder: string): Promise<string | undefined> {
  const { platform, arch } = process
  const name = platform === "win32" ? "claude.exe" : "claude"
  for (const variant of ["", "-musl"]) {
    const path = `${folder}/node_modules/@anthropic-ai/claude-code-${platform}-${arch}${variant}/${name}`
    if (await Bun.file(path).exists()) return path
  }
  return undefined
}

/** Settings that keep the CLI from talking to anyone but its base URL, and let it run as root. */
export const quietClaude: Environment = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_TELEMETRY: "1",
  DISABLE_AUTOUPDATER: "1",
  IS_SANDBOX: "1",
}
