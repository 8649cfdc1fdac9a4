import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'

const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') === true

/** Takes files that are dropped anywhere on the pane of an element. Elsewhere on the page nothing happens. */
export function useDrop (element: RefObject<Element | null>, onFiles: ((files: FileList) => void) | undefined): void {
  useEffect(() => {
    const pane = element.current?.closest('.pane')
    if (pane == null) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const leave = () => { pane.classList.remove('dropping') }
    const over = (event: Event) => {
      if (!hasFiles(event as DragEvent)) return
      event.preventDefault()
      if (onFiles === undefined || !pane.contains(event.target as Node)) return
      pane.classList.add('dropping')
      // It comes again all the time; leaving tells nothing that one can rely on.
      clearTimeout(timer)
      timer = setTimeout(leave, 200)
    }
    const drop = (event: Event) => {
      if (!hasFiles(event as DragEvent)) return
      // The browser would open the file in place of the app.
      event.preventDefault()
      leave()
      if (pane.contains(event.target as Node)) onFiles?.((event as DragEvent).dataTransfer!.files)
    }
    addEventListener('dragover', over)
    addEventListener('drop', drop)
    return () => {
      clearTimeout(timer)
      leave()
      removeEventListener('dragover', over)
      removeEventListener('drop', drop)
    }
  }, [onFiles])
}
