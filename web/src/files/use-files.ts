import type { PreparedFile } from '@tidelog/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'

/** A file that was chosen and is not sent yet. */
export interface Chosen {
  key: number
  file: File
  /** Of the bytes, for pictures. */
  address: string | undefined
  isOriginal: boolean
  prepared: Promise<PreparedFile>
}

export interface ChosenFiles {
  chosen: readonly Chosen[]
  error: string | undefined
  add: (files: Iterable<File>) => void
  remove: (key: number) => void
  /** Sends a picture with, or again without, where and by what it was taken. */
  toggleOriginal: (key: number) => void
  /** Takes all, to be sent. */
  take: () => readonly Chosen[]
  /** They are sent, and not needed any more. */
  free: (chosen: readonly Chosen[]) => void
  /** They could not be sent. */
  giveBack: (chosen: readonly Chosen[]) => void
}

/** Of one message; the server's limit. */
const filesMax = 10

let made = 0

/** Those of conversations that were left meanwhile. */
const left = new Map<string, readonly Chosen[]>()

// They are the user's who chose them.
client.session.subscribe(({ state }) => { if (state === 'signedOut') left.clear() })

/** The files that go with the next message of a conversation. */
export function useChosenFiles (conversationId: string): ChosenFiles {
  const [chosen, setChosen] = useState<readonly Chosen[]>(left.get(conversationId) ?? [])
  const [error, setError] = useState<string>()
  const now = useRef(chosen)
  const put = (files: readonly Chosen[]) => {
    now.current = files
    if (files.length > 0) left.set(conversationId, files)
    else left.delete(conversationId)
    setChosen(files)
  }
  useEffect(() => {
    now.current = left.get(conversationId) ?? []
    setChosen(now.current)
  }, [conversationId])
  return {
    chosen,
    error,
    add: files => {
      const more = [...files].map(file => choose(file))
      const all = [...now.current, ...more]
      setError(all.length > filesMax ? texts.value.files.tooMany(filesMax) : undefined)
      for (const one of more) one.prepared.catch((failure: unknown) => { setError(why(failure)) })
      put(all.slice(0, filesMax))
    },
    remove: key => {
      setError(undefined)
      const gone = now.current.find(one => one.key === key)
      if (gone?.address !== undefined) URL.revokeObjectURL(gone.address)
      put(now.current.filter(one => one.key !== key))
    },
    toggleOriginal: key => {
      put(now.current.map(one => one.key !== key
        ? one
        : { ...one, isOriginal: !one.isOriginal, prepared: prepared(one.file, !one.isOriginal) }))
    },
    take: () => {
      const taken = now.current
      setError(undefined)
      put([])
      return taken
    },
    free: files => { for (const { address } of files) if (address !== undefined) URL.revokeObjectURL(address) },
    giveBack: files => { put([...files, ...now.current].slice(0, filesMax)) }
  }
}

function choose (file: File): Chosen {
  return {
    key: ++made,
    file,
    address: file.type.startsWith('image/') ? URL.createObjectURL(file) : undefined,
    isOriginal: false,
    prepared: prepared(file, false)
  }
}

function prepared (file: File, original: boolean): Promise<PreparedFile> {
  return client.files.prepare(file, { original })
}
