import type { Conversation, Message } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { clockTime, dayName } from '../i18n/dates.ts'
import { lineOf } from '../files/kinds.ts'
import { texts } from '../i18n/index.ts'
import { nameOf, useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { Dialog, DialogHead } from '../ui/dialog.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'

/** The pinned messages, one at a time, the newest pin first: each press shows one in its place, then an older one. */
export function PinnedBar ({
  conversation,
  mayPin,
  onShow
}: {
  conversation: Conversation
  mayPin: boolean
  onShow: (message: Message) => void
}) {
  const t = texts.value.chat
  const pins = useReadable(conversation.pins)
  const [steps, setSteps] = useState(0)
  const [isListed, setListed] = useState(false)
  const at = pins.length - 1 - (steps % Math.max(1, pins.length))
  const message = pins[at]
  if (message === undefined) return null
  return (
    <div class='pins' role='group' aria-label={t.allPins}>
      <button
        type='button'
        class='grow'
        onClick={() => {
          onShow(message)
          setSteps(steps + 1)
        }}
      >
        <Icon small name='pin' />
        <span class='grow'>
          <b class='cut'>{pins.length === 1 ? t.pinned : t.pinnedOf(at + 1, pins.length)}</b>
          <span class='cut' dir='auto'>
            {lineOf(message)}
          </span>
        </span>
      </button>
      <IconButton
        small
        name='below'
        label={t.allPins}
        aria-haspopup='dialog'
        onClick={() => {
          setListed(true)
        }}
      />
      {isListed && (
        <Dialog
          label={t.allPins}
          onClose={() => {
            setListed(false)
          }}
        >
          <DialogHead
            title={t.allPins}
            onClose={() => {
              setListed(false)
            }}
          />
          <div class='items scroll'>
            {pins.toReversed().map(pin => (
              <PinnedItem
                key={pin.key}
                message={pin}
                onShow={() => {
                  setListed(false)
                  onShow(pin)
                }}
                onUnpin={mayPin ? () => { void conversation.pin(pin, false) } : undefined}
              />
            ))}
          </div>
        </Dialog>
      )}
    </div>
  )
}

function PinnedItem ({
  message,
  onShow,
  onUnpin
}: {
  message: Message
  onShow: () => void
  onUnpin: (() => void) | undefined
}) {
  const user = useUser(message.senderId)
  return (
    <div class='item'>
      <button type='button' class='grow plain' onClick={onShow}>
        <b class='cut' dir='auto'>
          {nameOf(user)}, {dayName(message.createdAt)}, {clockTime(message.createdAt)}
        </b>
        <small class='cut' dir='auto'>
          {lineOf(message)}
        </small>
      </button>
      {onUnpin !== undefined && <IconButton small name='close' label={texts.value.chat.unpin} onClick={onUnpin} />}
    </div>
  )
}
