// Something that is made once for each object, and forgotten together with it.

/** As `make`, which is called once for each object: its value must not depend on anything that changes. */
export function onceFor<Of extends WeakKey, Value>(make: (of: Of) => Value): (of: Of) => Value {
  const made = new WeakMap<Of, { readonly value: Value }>()
  return (of) => {
    const known = made.get(of)
    if (known !== undefined) return known.value
    const value = make(of)
    made.set(of, { value })
    return value
  }
}
