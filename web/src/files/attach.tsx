import { useRef, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { isTouch } from '../state/view.ts'
import { IconButton } from '../ui/icon.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'

/** Chooses files: from the device, on a phone from its pictures or its camera too. */
export function AttachButton ({ onFiles }: { onFiles: (files: FileList) => void }) {
  const t = texts.value.files
  const input = useRef<HTMLInputElement>(null)
  const [anchor, setAnchor] = useState<Element>()

  function pick (accept: string, fromCamera = false): void {
    if (input.current === null) return
    input.current.accept = accept
    if (fromCamera) input.current.setAttribute('capture', 'environment')
    else input.current.removeAttribute('capture')
    input.current.multiple = !fromCamera
    input.current.click()
  }

  const items: MenuItem[] = [
    { icon: 'image', text: t.photos, act: () => { pick('image/*,video/*') } },
    { icon: 'camera', text: t.camera, act: () => { pick('image/*', true) } },
    { icon: 'file', text: t.anyFile, act: () => { pick('') } }
  ]
  return (
    <>
      <IconButton
        name='attach'
        label={t.attach}
        onClick={event => {
          if (isTouch.value) setAnchor(event.currentTarget as Element)
          else pick('')
        }}
      />
      <input
        ref={input}
        type='file'
        hidden
        multiple
        tabIndex={-1}
        aria-label={t.attach}
        onChange={event => {
          const { files } = event.currentTarget
          if (files !== null && files.length > 0) onFiles(files)
          // The same file again is a change too.
          event.currentTarget.value = ''
        }}
      />
      {anchor !== undefined && (
        <Menu anchor={anchor} items={items} label={t.attach} onClose={() => { setAnchor(undefined) }} />
      )}
    </>
  )
}
