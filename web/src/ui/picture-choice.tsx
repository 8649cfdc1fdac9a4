import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { why } from '../state/failures.ts'
import { say } from '../state/view.ts'
import { Lazy } from './lazy.tsx'

const loadCrop = () => import('./crop.tsx')

interface Choice {
  isRoom?: boolean
  /** Null: there is to be none. */
  save: (picture: Blob | null) => Promise<unknown>
}

/**
 * Lets one choose a picture: `row` offers it, and `dialog` shows the part of it that is taken. The dialog goes beside a
 * form, not into it.
 */
export function usePictureChoice ({ isRoom = false, save }: Choice) {
  const [file, setFile] = useState<Blob>()
  const close = () => {
    setFile(undefined)
  }
  const dialog = file === undefined
    ? null
    : <Lazy load={loadCrop} file={file} isRoom={isRoom} onSave={save} onClose={close} />
  const row = (mark: ComponentChildren, picture: string | null | undefined) => (
    <PictureRow
      mark={mark}
      hasPicture={picture != null}
      onChoose={setFile}
      onRemove={() => {
        save(null).catch((failure: unknown) => {
          say(why(failure))
        })
      }}
    />
  )
  return { row, dialog }
}

function PictureRow ({
  mark,
  hasPicture,
  onChoose,
  onRemove
}: {
  mark: ComponentChildren
  hasPicture: boolean
  onChoose: (file: Blob) => void
  onRemove: () => void
}) {
  const t = texts.value.picture
  const input = useRef<HTMLInputElement>(null)
  return (
    <div class='picture'>
      {mark}
      <span class='grow'>
        <span class='ways'>
          <button type='button' class='btn line sm' onClick={() => input.current?.click()}>
            {hasPicture ? t.change : t.choose}
          </button>
          {hasPicture && (
            <button type='button' class='btn bare sm danger' onClick={onRemove}>
              {t.remove}
            </button>
          )}
        </span>
        <small class='muted'>{t.everybody}</small>
      </span>
      <input
        ref={input}
        type='file'
        accept='image/*'
        hidden
        onChange={event => {
          const [file] = event.currentTarget.files ?? []
          // The same file can be chosen again.
          event.currentTarget.value = ''
          if (file !== undefined) onChoose(file)
        }}
      />
    </div>
  )
}
