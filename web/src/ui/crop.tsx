import type { TargetedKeyboardEvent, TargetedPointerEvent } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { why } from '../state/failures.ts'
import { isTouch } from '../state/view.ts'
import { Dialog, DialogFoot, DialogHead } from './dialog.tsx'
import { Trouble } from './fields.tsx'
import { type Frame, changed, sideOf, wholeFrame, zoomMax } from './frame.ts'
import { Icon } from './icon.tsx'

interface CropProps {
  file: Blob
  /** Rooms are soft squares, people are round. */
  isRoom: boolean
  onSave: (picture: Blob) => Promise<unknown>
  onClose: () => void
}

/** Pixels of the picture that is made. */
const outSide = 512
/** What an arrow key moves, as a part of what is shown, and what plus and minus zoom. */
const stepPart = 0.05
const stepZoom = 1.15

/** Chooses a square of a picture by pointer, wheel or keys, and draws it anew: small, and without a camera's notes. */
export default function Crop ({ file, isRoom, onSave, onClose }: CropProps) {
  const t = texts.value.picture
  const canvas = useRef<HTMLCanvasElement>(null)
  const pointers = useRef(new Map<number, { x: number, y: number }>())
  const [source, setSource] = useState<ImageBitmap>()
  const [frame, setFrame] = useState<Frame>({ x: 0, y: 0, zoom: 1 })
  const [error, setError] = useState<string>()
  const [isBusy, setBusy] = useState(false)

  useEffect(() => {
    let read: ImageBitmap | undefined
    let isOver = false
    createImageBitmap(file).then(
      bitmap => {
        if (isOver) {
          bitmap.close()
          return
        }
        read = bitmap
        setFrame(wholeFrame(bitmap))
        setSource(bitmap)
      },
      () => {
        setError(t.unreadable)
      }
    )
    return () => {
      isOver = true
      read?.close()
    }
  }, [file])

  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (context == null || source === undefined) return
    const side = sideOf(source, frame)
    context.imageSmoothingQuality = 'high'
    context.clearRect(0, 0, outSide, outSide)
    context.drawImage(source, frame.x - side / 2, frame.y - side / 2, side, side, 0, 0, outSide, outSide)
  }, [source, frame])

  /** Moves by parts of what is shown, and zooms. */
  const change = ({ right = 0, down = 0, by = 1 }: { right?: number, down?: number, by?: number }): void => {
    if (source === undefined) return
    setFrame(before => {
      const side = sideOf(source, before)
      return changed(source, before, { dx: right * side, dy: down * side, by })
    })
  }

  function follow (event: TargetedPointerEvent<HTMLElement>): void {
    const before = pointers.current.get(event.pointerId)
    if (before === undefined) return
    const now = { x: event.clientX, y: event.clientY }
    const [other] = [...pointers.current].filter(([id]) => id !== event.pointerId).map(([, at]) => at)
    pointers.current.set(event.pointerId, now)
    // Of two fingers each moves the middle by half.
    const share = (other === undefined ? 1 : 0.5) / event.currentTarget.clientWidth
    const apart = (at: { x: number, y: number }) => Math.hypot(at.x - (other?.x ?? 0), at.y - (other?.y ?? 0))
    change({
      right: (before.x - now.x) * share,
      down: (before.y - now.y) * share,
      by: other === undefined || apart(before) === 0 ? 1 : apart(now) / apart(before)
    })
  }

  function press (event: TargetedKeyboardEvent<HTMLElement>): void {
    const step = {
      ArrowLeft: { right: -stepPart },
      ArrowRight: { right: stepPart },
      ArrowUp: { down: -stepPart },
      ArrowDown: { down: stepPart },
      '+': { by: stepZoom },
      '=': { by: stepZoom },
      '-': { by: 1 / stepZoom }
    }[event.key]
    if (step === undefined) return
    event.preventDefault()
    change(step)
  }

  async function save (): Promise<void> {
    if (canvas.current === null) return
    setBusy(true)
    setError(undefined)
    try {
      await onSave(await encoded(canvas.current))
      onClose()
    } catch (failure) {
      setError(why(failure))
      setBusy(false)
    }
  }

  const hint = isTouch.value ? t.touchHint : t.hint
  const most = source === undefined ? 1 : zoomMax(source)
  return (
    <Dialog label={t.place} onClose={onClose}>
      <DialogHead title={t.place} onClose={onClose} />
      <div class='form scroll'>
        <div
          class={`crop${isRoom ? ' room' : ''}`}
          role='group'
          aria-label={hint}
          tabIndex={0}
          data-first
          onKeyDown={press}
          onPointerDown={event => {
            event.currentTarget.setPointerCapture(event.pointerId)
            pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
          }}
          onPointerMove={follow}
          onLostPointerCapture={event => {
            pointers.current.delete(event.pointerId)
          }}
          onWheel={event => {
            event.preventDefault()
            change({ by: Math.exp(-event.deltaY / 500) })
          }}
        >
          <canvas ref={canvas} width={outSide} height={outSide} />
        </div>
        <div class='crop-zoom'>
          <Icon small name='zoomOut' />
          <input
            type='range'
            min='0'
            max='100'
            disabled={most === 1}
            aria-label={t.zoom}
            value={most === 1 ? 0 : Math.round(100 * Math.log(frame.zoom) / Math.log(most))}
            onInput={event => {
              change({ by: most ** (event.currentTarget.valueAsNumber / 100) / frame.zoom })
            }}
          />
          <Icon small name='zoomIn' />
        </div>
        <p class='small muted' aria-hidden='true'>{hint}</p>
        {error !== undefined && <Trouble text={error} />}
      </div>
      <DialogFoot onClose={onClose}>
        <button
          type='button'
          class='btn main'
          disabled={isBusy || source === undefined}
          onClick={() => {
            void save()
          }}
        >
          {t.use}
        </button>
      </DialogFoot>
    </Dialog>
  )
}

/** WebP; a browser that cannot write it answers PNG, which is large for a photograph: then it is a JPEG on white. */
async function encoded (canvas: HTMLCanvasElement): Promise<Blob> {
  const webp = await blobOf(canvas, 'image/webp', 0.86)
  if (webp.type === 'image/webp') return webp
  const context = canvas.getContext('2d')
  if (context !== null) {
    context.globalCompositeOperation = 'destination-over'
    context.fillStyle = '#fff'
    context.fillRect(0, 0, canvas.width, canvas.height)
    context.globalCompositeOperation = 'source-over'
  }
  return await blobOf(canvas, 'image/jpeg', 0.9)
}

async function blobOf (canvas: HTMLCanvasElement, type: string, quality: number): Promise<Blob> {
  return await new Promise((resolve, reject) => {
    canvas.toBlob(blob => {
      if (blob === null) reject(new Error('The picture could not be encoded'))
      else resolve(blob)
    }, type, quality)
  })
}
