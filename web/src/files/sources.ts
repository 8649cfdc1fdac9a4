import type { Attachment } from '@tidelog/client'
import { useEffect, useState } from 'preact/hooks'
import { client } from '../state/client.ts'

/** Addresses of bytes of this device; the last ones stay, so that a picture that was sent is not loaded again. */
const local = new Map<string, string>()
const localMax = 40

/**
 * The address of an attachment's content; undefined while it is not known.
 * @param place names the attachment, before and after it was sent
 */
export function useSource (
  place: string, { id, isPending }: Attachment
): { src: string | undefined, again: () => void } {
  const [src, setSrc] = useState(local.get(place))
  const [tries, setTries] = useState(0)
  useEffect(() => {
    let isShown = true
    find().then(address => { if (isShown) setSrc(address) }, () => {
      // Without a connection: the preview stays.
    })
    return () => { isShown = false }

    async function find (): Promise<string | undefined> {
      const held = local.get(place)
      if (held !== undefined && tries === 0) return held
      return isPending === true ? await keep(place, id) : await client.files.url(id)
    }
  }, [place, id, tries])
  return {
    src,
    // A URL is good for an hour or two.
    again: () => { if (tries < 3) setTries(tries + 1) }
  }
}

async function keep (place: string, id: string): Promise<string | undefined> {
  const bytes = await client.files.pending(id)
  if (bytes === undefined) return undefined
  const address = URL.createObjectURL(bytes)
  local.set(place, address)
  const [oldest] = local.keys()
  if (local.size > localMax && oldest !== undefined) {
    URL.revokeObjectURL(local.get(oldest)!)
    local.delete(oldest)
  }
  return address
}
