// Settings that come through an open file of this process, as `--env <(…)` has them. Asked before anything else
// of a start, so nothing is loaded for it.

// Open in this process alone. The first three are handed on when it begins anew.
const descriptor = /^\/(?:dev|proc\/(?:self|\d+))\/fd\/(?:[3-9]|\d{2,})$/

/** Is this path nothing but an open file of this process? */
export function isDescriptor(path: string): boolean {
  return descriptor.test(path)
}
