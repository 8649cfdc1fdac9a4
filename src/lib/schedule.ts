/** Calls back once after so many milliseconds; returns the way to cancel. */
export type Schedule = (act: () => void, ms: number) => () => void

/** Keeps no process alive. */
export const schedule: Schedule = (act, ms) => {
  const timer = setTimeout(act, ms)
  timer.unref()
  return () => { clearTimeout(timer) }
}
