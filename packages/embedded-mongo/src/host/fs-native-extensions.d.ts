/** The part of fs-native-extensions that is used here; the package has no types of its own. */
declare module 'fs-native-extensions' {
  /** Locks a range of an open file for this opening of it; false if another opening has it. */
  export function tryLock (fd: number, offset: number, length: number): boolean
}
