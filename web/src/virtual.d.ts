/** Made by the build: see web/emoji.ts. */
declare module 'virtual:emoji/*' {
  const list: ReadonlyArray<readonly [emoji: string, label: string, words: string, group: number]>
  export default list
}
