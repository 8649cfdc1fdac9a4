/**
 * The clock of this process, for a server in it that believes that it is earlier: so what the community said over the
 * last days bears the times of those days.
 */
const RealDate = Date
let shiftMs = 0

/** From now on it is this time, in milliseconds since 1970, and it goes on from there. */
export function setClock (ms: number): void {
  shiftMs = ms - RealDate.now()
}

export function resetClock (): void {
  shiftMs = 0
}

globalThis.Date = new Proxy(RealDate, {
  construct: (Real, values: unknown[], self) =>
    Reflect.construct(Real, values.length === 0 ? [Real.now() + shiftMs] : values, self) as Date,
  get: (Real, name) => name === 'now' ? () => Real.now() + shiftMs : Reflect.get(Real, name) as unknown
})
