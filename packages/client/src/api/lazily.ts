import { loaded } from '../errors.ts'

type Calls<T> = Record<keyof T, (...given: never[]) => Promise<unknown>>

/** Calls whose code is loaded when the first of them is made; if that fails, the next one tries again. */
export function lazily<T extends Calls<T>> (names: Record<keyof T, true>, load: () => Promise<T>): T {
  let loading: Promise<T> | undefined
  const call = (name: keyof T) => async (...given: never[]) => {
    loading ??= loaded(load()).catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return await (await loading)[name](...given)
  }
  return Object.fromEntries((Object.keys(names) as Array<keyof T>).map(name => [name, call(name)])) as T
}
