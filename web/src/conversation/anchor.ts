/** A message and where its top is in the scrolled area: what must not move while rows come and go around it. */
export interface Anchor {
  key: string
  top: number
}

const rowsOf = (scroller: HTMLElement): HTMLCollectionOf<HTMLElement> =>
  scroller.getElementsByTagName('article') as HTMLCollectionOf<HTMLElement>

/** The first message that reaches into the visible area. */
export function firstVisible (scroller: HTMLElement): Anchor | undefined {
  const rows = rowsOf(scroller)
  const edge = scroller.getBoundingClientRect().top
  const row = rows[lowest(rows.length, at => (rows[at]?.getBoundingClientRect().bottom ?? 0) > edge)]
  return row === undefined
    ? undefined
    : { key: row.dataset['key'] ?? '', top: row.getBoundingClientRect().top - edge }
}

/** The last message that begins inside the visible area. */
export function lastVisibleKey (scroller: HTMLElement): string | undefined {
  const rows = rowsOf(scroller)
  const edge = scroller.getBoundingClientRect().bottom
  return rows[lowest(rows.length, at => (rows[at]?.getBoundingClientRect().bottom ?? 0) > edge + 1) - 1]?.dataset[
    'key'
  ]
}

/** Scrolls so that the anchor is where it was. */
export function restore (scroller: HTMLElement, anchor: Anchor | undefined): void {
  if (anchor === undefined) return
  const row = rowOf(scroller, anchor.key)
  if (row === undefined) return
  const moved = row.getBoundingClientRect().top - scroller.getBoundingClientRect().top - anchor.top
  if (Math.abs(moved) > 0.01) scroller.scrollTop += moved
}

export function rowOf (scroller: HTMLElement, key: string): HTMLElement | undefined {
  const id = CSS.escape(key)
  return scroller.querySelector<HTMLElement>(`article[data-key="${id}"], article[data-keys~="${id}"]`) ?? undefined
}

/** Pixels from the end. */
export function fromEnd (scroller: HTMLElement): number {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight
}

/** The lowest index for which `is` holds, which holds for all above it too. */
function lowest (length: number, is: (at: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (is(middle)) high = middle
    else low = middle + 1
  }
  return low
}
