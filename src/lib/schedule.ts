/** Calls `act` once after `ms` milliseconds; returns a function that cancels it. */
export type Schedule = (act: () => void, ms: number) => () => void

/** Does not keep the process alive. */
export const schedule: Schedule = (act, ms) => {
  const timer = setTimeout(act, ms)
  timer.unref()
  return () => { clearTimeout(timer) }
}
