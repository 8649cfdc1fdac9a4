import type { Attachment, Message } from '@tidelog/client'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { clockTime, dayName } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { nameOf, useUser } from '../state/people.ts'
import { Avatar } from '../ui/avatar.tsx'
import { useModal } from '../ui/dialog.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'
import { Download } from './download.tsx'
import { kindOf } from './kinds.ts'
import { useSource } from './sources.ts'
import '../look/viewer.css'

interface Shown { message: Message, attachment: Attachment, place: string }

const zooms = [1, 1.5, 2, 3, 4]
/** Pictures before and behind the shown one that the strip has. */
const stripSide = 3

/** One picture of a conversation after the other, over the whole page. */
export default function Viewer ({
  messages,
  start,
  title,
  onClose
}: {
  messages: readonly Message[]
  start: { message: Message, index: number }
  /** Of the conversation. */
  title: string
  onClose: () => void
}) {
  const t = texts.value.files
  const pictures = messages.filter(({ isDeleted }) => !isDeleted).flatMap(picturesOf)
  const [place, setPlace] = useState(`${start.message.key}:${start.index}`)
  const [zoom, setZoom] = useState(1)
  const dialog = useRef<HTMLDialogElement>(null)
  const figure = useRef<HTMLElement>(null)
  const at = Math.max(0, pictures.findIndex(picture => picture.place === place))
  const picture = pictures[at]

  useModal(dialog, { preventScroll: true })
  // It was deleted meanwhile.
  useEffect(() => { if (picture === undefined) onClose() }, [picture])
  useLayoutEffect(() => {
    // What was in the middle stays there.
    const box = figure.current
    if (box !== null) box.scrollTo((box.scrollWidth - box.clientWidth) / 2, (box.scrollHeight - box.clientHeight) / 2)
  }, [zoom, place])

  function go (to: number): void {
    const next = pictures[to]
    if (next === undefined) return
    setZoom(1)
    setPlace(next.place)
  }

  function zoomBy (steps: number): void {
    const now = zooms.indexOf(zoom)
    setZoom(zooms[Math.min(zooms.length - 1, Math.max(0, now + steps))]!)
  }

  function onKeyDown (event: KeyboardEvent): void {
    const isRtl = document.documentElement.dir === 'rtl'
    const step = { ArrowRight: isRtl ? -1 : 1, ArrowLeft: isRtl ? 1 : -1 }[event.key]
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (step !== undefined && zoom === 1) go(at + step)
    else if (event.key === '+' || event.key === '=') zoomBy(1)
    else if (event.key === '-') zoomBy(-1)
    else if (event.key === '0') setZoom(1)
    else if (event.key === 'Home') go(0)
    else if (event.key === 'End') go(pictures.length - 1)
    else return
    event.preventDefault()
  }

  if (picture === undefined) return null
  const strip = pictures.slice(Math.max(0, at - stripSide), at + stripSide + 1)
  return (
    <dialog
      ref={dialog}
      class='viewer'
      aria-label={t.viewer}
      onKeyDown={onKeyDown}
      onCancel={event => {
        event.preventDefault()
        onClose()
      }}
    >
      <Head picture={picture} title={title} zoom={zoom} onZoom={zoomBy} onClose={onClose} />
      <figure
        ref={figure}
        class={zoom > 1 ? 'zoomed' : undefined}
        onDblClick={() => { setZoom(zoom === 1 ? 2 : 1) }}
        onClick={event => { if (event.target === event.currentTarget) onClose() }}
      >
        <Whole key={picture.place} picture={picture} zoom={zoom} />
      </figure>
      {at > 0 && (
        <button type='button' class='nav' aria-label={t.before} onClick={() => { go(at - 1) }}>
          <Icon flip name='back' />
        </button>
      )}
      {at < pictures.length - 1 && (
        <button type='button' class='nav next' aria-label={t.next} onClick={() => { go(at + 1) }}>
          <Icon flip name='next' />
        </button>
      )}
      <div class='below'>
        <p class='cut grow small' dir='auto'>{picture.message.text}</p>
        {pictures.length > 1 && (
          <span class='strip'>
            {strip.map(one => (
              <Small
                key={one.place}
                picture={one}
                isCurrent={one === picture}
                onClick={() => { go(pictures.indexOf(one)) }}
              />
            ))}
          </span>
        )}
        <span class='small muted num' role='status'>{t.of(at + 1, pictures.length)}</span>
      </div>
    </dialog>
  )
}

function picturesOf (message: Message): Shown[] {
  return message.attachments.flatMap((attachment, index) =>
    kindOf(attachment) === 'image' ? [{ message, attachment, place: `${message.key}:${index}` }] : [])
}

function Head ({ picture: { message, attachment, place }, title, zoom, onZoom, onClose }: {
  picture: Shown
  title: string
  zoom: number
  onZoom: (steps: number) => void
  onClose: () => void
}) {
  const t = texts.value.files
  const user = useUser(message.senderId)
  const { src } = useSource(place, attachment)
  const when = `${dayName(message.createdAt)}, ${clockTime(message.createdAt)}`
  return (
    <header class='bar'>
      <Avatar user={user} id={message.senderId} size='md' />
      <div class='grow hd'>
        <h1 class='cut' dir='auto'>{nameOf(user)}</h1>
        <div class='tiny muted cut' dir='auto'>{title} · {when}</div>
      </div>
      <IconButton name='zoomOut' label={t.smaller} class='zoom' disabled={zoom === 1} onClick={() => { onZoom(-1) }} />
      <span class='small num muted zoom' role='status'>{Math.round(zoom * 100)} %</span>
      <IconButton name='zoomIn' label={t.larger} class='zoom' disabled={zoom === 4} onClick={() => { onZoom(1) }} />
      <Download attachment={attachment} src={src} />
      <IconButton name='close' label={texts.value.app.close} onClick={onClose} />
    </header>
  )
}

function Whole ({ picture: { attachment, place }, zoom }: { picture: Shown, zoom: number }) {
  const { src, again } = useSource(place, attachment)
  const image = useRef<HTMLImageElement>(null)
  /** How wide it is when all of it is seen. */
  const fitting = useRef(0)
  useLayoutEffect(() => {
    const { current } = image
    if (current === null) return
    if (current.style.inlineSize === '') fitting.current = current.clientWidth
    current.style.inlineSize = zoom === 1 ? '' : `${fitting.current * zoom}px`
  }, [zoom])
  return (
    <img
      ref={image}
      src={src}
      alt={attachment.name ?? ''}
      width={attachment.width}
      height={attachment.height}
      draggable={false}
      onError={again}
    />
  )
}

function Small ({ picture: { attachment, place }, isCurrent, onClick }: {
  picture: Shown
  isCurrent: boolean
  onClick: () => void
}) {
  const { src, again } = useSource(place, attachment)
  return (
    <button
      type='button'
      aria-current={isCurrent ? 'true' : undefined}
      aria-label={texts.value.files.open(attachment.name ?? '')}
      onClick={onClick}
    >
      <img src={src} alt='' onError={again} />
    </button>
  )
}
