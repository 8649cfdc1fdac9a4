import type { PreparedFile } from '../values.ts'
import { type Recording, browser } from './browser.ts'
import { previewOf } from './preview.ts'

/** Milliseconds after which a file is sent without what is not known of it yet. */
const waitMs = 4_000

type Known = Pick<PreparedFile, 'width' | 'height' | 'durationMs' | 'blurhash'>

/** @throws if the browser does not play it */
export async function prepareRecording (file: Blob, kind: 'video' | 'audio'): Promise<Known> {
  const element = browser.document.createElement(kind)
  const address = URL.createObjectURL(file)
  try {
    element.muted = true
    element.preload = 'auto'
    element.src = address
    await heard(element, 'loadedmetadata')
    const durationMs = Math.round(element.duration * 1_000)
    const known: Known = Number.isSafeInteger(durationMs) ? { durationMs } : {}
    return { ...known, ...await picture(element) }
  } finally {
    element.removeAttribute('src')
    element.load()
    URL.revokeObjectURL(address)
  }
}

async function picture (video: Recording): Promise<Known> {
  const { videoWidth: width = 0, videoHeight: height = 0, duration } = video
  if (width === 0 || height === 0) return {}
  try {
    // The very first picture is often black.
    video.currentTime = Math.min(1, Number.isFinite(duration) ? duration / 4 : 0)
    await heard(video, 'seeked')
    return { width, height, blurhash: previewOf(video, width, height) }
  } catch {
    return { width, height }
  }
}

function heard (element: Recording, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => { reject(element.error ?? new Error('It took too long')) }
    element.addEventListener(event, () => { resolve() }, { once: true })
    element.addEventListener('error', fail, { once: true })
    browser.setTimeout(fail, waitMs)
  })
}
