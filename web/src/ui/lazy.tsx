import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** A part of the page that is loaded when it is shown first. Without a connection nothing stands in its place. */
export function Lazy<P extends object> (
  { load, ...props }: { load: () => Promise<{ default: ComponentType<P> }> } & P
) {
  const [Part, setPart] = useState<ComponentType<P>>()
  useEffect(() => {
    let isShown = true
    load().then(module => { if (isShown) setPart(() => module.default) }, () => undefined)
    return () => { isShown = false }
  }, [load])
  return Part === undefined ? null : <Part {...props as unknown as P} />
}
