// The folder that LOG_FILE_PATH means.
import { dirname, join, resolve } from "node:path"

interface LogFolder {
  readonly path: string
  /** The setting was taken otherwise than it was written. */
  readonly warning: string | undefined
}

/**
 * `~/` is the home folder; a relative path starts where the file is that it was set in (`origin` is FILE:LINE),
 * else in the folder the proxy was started in. Other proxies wanted a file here: of `logs/proxy.log` the folder
 * is taken.
 */
export function logFolder(setting: string, origin: string | undefined): LogFolder {
  const file = /^(.+?):\d+(?::\d+)?$/.exec(origin ?? "")?.[1]
  const home = /^~(?=$|[\\/])/.exec(setting)
  const given =
    home === null
      ? resolve(file === undefined ? "" : dirname(file), setting)
      : join(process.getBuiltinModule("node:os").homedir(), setting.slice(1))
  if (!setting.endsWith(".log")) return { path: given, warning: undefined }
  const path = dirname(given)
  return {
    path,
    warning: `LOG_FILE_PATH names a folder here, not a file: ${path} is used, with server.log and three others in it.`,
  }
}
