import { TidelogError } from '../errors.ts'

type Calls<T> = Record<keyof T, (...given: never[]) => Promise<unknown>>

/** Calls whose code is loaded when the first of them is made; if that fails, the next one tries again. */
export function lazily<T extends Calls<T>> (names: Record<keyof T, true>, load: () => Promise<T>): T {
  let loading: Promise<T> | undefined
  const loaded = async () => {
    try {
      return await (loading ??= load())
    } catch (cause) {
      loading = undefined
      throw new TidelogError({ code: 'OFFLINE', cause })
    }
  }
  const call = (name: keyof T) => async (...given: never[]) => await (await loaded())[name](...given)
  return Object.fromEntries((Object.keys(names) as Array<keyof T>).map(name => [name, call(name)])) as T
}
