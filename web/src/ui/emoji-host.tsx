import { useEffect, useState } from 'preact/hooks'
import type { ComponentType } from 'preact'
import { type EmojiRequest, emojiRequest } from './emoji.ts'

/** Shows the picker on request, which loads its code and its list. */
export function EmojiHost () {
  const request = emojiRequest.value
  const [Picker, setPicker] = useState<ComponentType<{ request: EmojiRequest; onClose: () => void }>>()
  useEffect(() => {
    if (request === undefined || Picker !== undefined) return
    import('./emoji-picker.tsx').then(
      module => {
        setPicker(() => module.EmojiPicker)
      },
      () => {
        emojiRequest.value = undefined
      }
    )
  }, [request])
  if (request === undefined || Picker === undefined) return null
  return (
    <Picker
      request={request}
      onClose={() => {
        emojiRequest.value = undefined
      }}
    />
  )
}
