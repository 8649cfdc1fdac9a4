import type { Attachment, Message } from '@tidelog/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { useReadable } from '../state/readable.ts'
import { Icon, IconButton } from '../ui/icon.tsx'
import { Download } from './download.tsx'
import { fitted, kindOf, sizeText, typeText } from './kinds.ts'
import { useSource } from './sources.ts'

interface Part {
  message: Message
  attachment: Attachment
  index: number
}

/** What a message carries: pictures first, each in the place that it will take. */
export function Attachments ({ message }: { message: Message }) {
  const parts = message.attachments.map((attachment, index): Part => ({ message, attachment, index }))
  const pictures = parts.filter(({ attachment }) => kindOf(attachment) === 'image')
  const others = parts.filter(({ attachment }) => kindOf(attachment) !== 'image')
  const isAlbum = pictures.length > 1
  return (
    <>
      {isAlbum
        ? (
          <div class='pics'>
            {pictures.map(part => <Picture key={part.index} {...part} isTile />)}
          </div>
          )
        : pictures.map(part => <Picture key={part.index} {...part} />)}
      {others.map(part => <Other key={part.index} {...part} />)}
    </>
  )
}

function Other (part: Part) {
  const kind = kindOf(part.attachment)
  return kind === 'video' ? <Video {...part} /> : kind === 'audio' ? <Sound {...part} /> : <Card {...part} />
}

/** Its place is kept before it is there. */
const placed = ({ width, height }: { width: number, height: number }) =>
  ({ inlineSize: `${width}px`, aspectRatio: `${width} / ${height}` })

const placeOf = ({ message, index }: Part): string => `${message.key}:${index}`

function Picture ({ isTile = false, ...part }: Part & { isTile?: boolean }) {
  const { attachment, index } = part
  const { name = '' } = attachment
  const t = texts.value.files
  const { src, again } = useSource(placeOf(part), attachment)
  const [isLoaded, setLoaded] = useState(false)
  return (
    <span class='pic' style={isTile ? undefined : placed(fitted(attachment))}>
      <button
        type='button'
        class='open'
        data-act='view'
        data-index={index}
        aria-label={t.open(name)}
        aria-haspopup='dialog'
      >
        {!isLoaded && <Blur hash={attachment.blurhash} />}
        {src !== undefined && (
          <img
            src={src}
            alt=''
            draggable={false}
            class={isLoaded ? undefined : 'coming'}
            onLoad={() => { setLoaded(true) }}
            onError={again}
          />
        )}
      </button>
      <Progress {...part} />
    </span>
  )
}

/** A few spots of colour, while the picture comes. */
function Blur ({ hash }: { hash: string | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    if (hash === undefined) return
    import('./blur.ts').then(({ draw }) => { if (canvas.current !== null) draw(canvas.current, hash) }, () => undefined)
  }, [hash])
  return hash === undefined ? null : <canvas ref={canvas} width={32} height={32} aria-hidden='true' />
}

function Video (part: Part) {
  const { attachment, attachment: { width = 320, height = 180 } } = part
  const { src, again } = useSource(placeOf(part), attachment)
  return (
    <span class='pic' style={placed(fitted({ width, height }))}>
      <Blur hash={attachment.blurhash} />
      <video
        src={src}
        controls={attachment.isPending !== true}
        preload='metadata'
        playsInline
        aria-label={attachment.name}
        onError={again}
      />
      <Progress {...part} />
    </span>
  )
}

function Sound (part: Part) {
  const { attachment } = part
  const { src, again } = useSource(placeOf(part), attachment)
  return (
    <span class='sound'>
      <span class='small cut' dir='auto'>{attachment.name}</span>
      <audio src={src} controls preload='metadata' aria-label={attachment.name} onError={again} />
      <Progress {...part} />
    </span>
  )
}

function Card (part: Part) {
  const { attachment, attachment: { name, size = 0 } } = part
  const t = texts.value.files
  const { src } = useSource(placeOf(part), attachment)
  const about = [typeText(attachment), sizeText(size)].filter(text => text !== '').join(' · ')
  return (
    <span class='card'>
      <Icon name='file' />
      <span class='grow'>
        <b class='cut' dir='auto'>{name === undefined || name === '' ? t.files(1) : name}</b>
        <span class='tiny muted'>{about}</span>
      </span>
      {attachment.isPending === true
        ? <Progress {...part} />
        : <Download attachment={attachment} src={src} small />}
    </span>
  )
}

/** How much of it has left this device: a veil that sinks. */
function Progress ({ message, attachment: { id, isPending, size = 0 } }: Part) {
  const t = texts.value.files
  const sent = useReadable(client.files.progress).get(id) ?? 0
  if (isPending !== true) return null
  const percent = size === 0 ? 100 : Math.floor((sent / size) * 100)
  const isFailed = message.status === 'failed'
  return (
    <>
      {!isFailed && (
        <span
          class='veil'
          role='progressbar'
          aria-label={t.uploading}
          aria-valuenow={percent}
          style={{ blockSize: `${100 - percent}%` }}
        />
      )}
      {!isFailed && <IconButton small name='close' label={t.stop} class='stop' data-act='cancel' />}
    </>
  )
}
