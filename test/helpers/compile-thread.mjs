// What the engine's thread loads in place of tsx (compile-hooks.mjs).
import { register as registerHooks } from 'node:module'

export function register () {
  registerHooks('./compile-hooks.mjs', import.meta.url)
}
