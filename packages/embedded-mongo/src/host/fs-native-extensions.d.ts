/** The part of fs-native-extensions that is used here; the package has no types of its own. */
declare module 'fs-native-extensions' {
  /** Locks a range of a file for this file descriptor; false if another one has it. */
  export function tryLock (fd: number, offset: number, length: number): boolean
}
