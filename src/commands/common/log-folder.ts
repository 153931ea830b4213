// The folder that LOG_FILE_PATH means.
import { dirname, resolve } from "node:path"
import { withHome } from "../../config/load/disk.ts"

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
  const given = resolve(file === undefined ? "" : dirname(file), withHome(setting))
  if (!setting.endsWith(".log")) return { path: given, warning: undefined }
  const path = dirname(given)
  return {
    path,
    warning: `LOG_FILE_PATH names a folder here, not a file: ${path} is used, with server.log and three others in it.`,
  }
}
