// Days as the names of log files say them: local, `2025-01-31`, so that they sort as texts.

const two = (value: number): string => String(value).padStart(2, "0")

/** The local day of a time. */
export function dayOf(time: Date): string {
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
}

/** The same with the time of day: `2025-01-31 09:30:00`. */
export function secondOf(time: Date): string {
  return `${dayOf(time)} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

/** The earliest day that is kept: so many days before the present one. */
export function cutoffDay(time: Date, days: number): string {
  return dayOf(new Date(time.getFullYear(), time.getMonth(), time.getDate() - days, 12))
}

/** The day in a name such as `server.log.2025-01-31` or `server.log.2025-01-31.2`; undefined for others. */
export function datedDay(name: string, prefix: string): string | undefined {
  if (!name.startsWith(prefix)) return undefined
  return /^(\d{4}-\d{2}-\d{2})(?:\.\d{1,2})?$/.exec(name.slice(prefix.length))?.[1]
}
