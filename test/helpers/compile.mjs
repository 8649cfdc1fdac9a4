// Loaded before every test (.taprc): TypeScript is compiled once for all test processes, not once in each of them.
import { register } from 'node:module'

register('./compile-hooks.mjs', import.meta.url)
