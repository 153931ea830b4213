/** The machine's clock in milliseconds, finer than Date: two processes agree on it to a few microseconds. */
export function machineNow(): number {
  return performance.timeOrigin + performance.now()
}
