// Loaded before every test (.taprc). tap follows each promise by async hooks, to learn which test an error that nobody
// catches is of: a promise then takes twenty times as long, and a file that makes many of them twice as long. Without
// hooks such an error fails the file: tap or stderr says where it was thrown.
import hooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'

const none = { enable: () => none, disable: () => none }
hooks.createHook = () => none
syncBuiltinESMExports()
