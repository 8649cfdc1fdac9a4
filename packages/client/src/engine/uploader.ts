import type { Http } from '../network/http.ts'
import { endUpload, isPassing, uploadRest } from '../network/tus.ts'
import { nextUpload, refused, withUpload } from '../pure/push.ts'
import type { PendingFile, StoredOperation } from '../pure/state.ts'
import { TidelogError, asTidelogError, backoffMs, filesOf, toFailure } from '../shared.ts'
import type { Clock } from '../types.ts'
import type { Changed } from '../core.ts'
import type { Engine } from './engine.ts'

export interface UploaderOptions {
  engine: Engine
  http: Http
  clock: Clock
  random: () => number
  isOnline: () => boolean
  onProgress: (progress: { key: string, sent: number }) => void
  /** A message has all its files. */
  onReady: () => void
}

/** Tries in a row without a connection. */
const triesAlone = 4
/** Times in a row that a server may not know an upload which it has just begun. */
const missesMax = 3

/** Uploads the files of the outbox, one at a time. What it knows is stored, so that it continues after a crash. */
export class Uploader {
  private readonly options: UploaderOptions
  private running: Promise<void> | undefined
  private current: { position: number, ended: AbortController } | undefined
  private cancelTimer = () => {}
  private isPaused = false
  private isStopped = false
  /** In a row, without a byte that arrived. */
  private failures = 0
  private readonly endListening: () => void

  constructor (options: UploaderOptions) {
    this.options = options
    this.endListening = options.engine.changed.add(changed => { this.look(changed) })
  }

  /** There may be something to upload. */
  wake (): void {
    if (this.isStopped || this.running !== undefined) return
    this.running = this.run().catch(() => { this.pause(5_000) }).finally(() => { this.running = undefined })
  }

  /** The connection is there again. */
  reset (): void {
    this.failures = 0
    this.isPaused = false
    this.wake()
  }

  private pause (ms: number): void {
    this.isPaused = true
    this.cancelTimer()
    this.cancelTimer = this.options.clock.after(ms, () => {
      this.isPaused = false
      this.wake()
    })
  }

  async stop (): Promise<void> {
    this.isStopped = true
    this.endListening()
    this.cancelTimer()
    this.current?.ended.abort()
    await this.running
  }

  /** What was given up is not uploaded, and not kept by the server. */
  private look (changed: Changed): void {
    const { engine, http } = this.options
    if (this.current !== undefined && this.operation(this.current.position) === undefined) this.current.ended.abort()
    if (changed === 'all' || engine.term === undefined) return
    for (const operation of changed.batch.settle ?? []) {
      if (operation.attempts > 0 && operation.state !== 'failed') continue
      for (const { fileId } of filesOf(operation)) {
        // If that fails too, the server removes them after a day.
        if (fileId !== undefined) endUpload(http, fileId).catch(() => {})
      }
    }
  }

  private operation (position: number): StoredOperation | undefined {
    return this.options.engine.operations.find(operation => operation.position === position)
  }

  /**
   * An upload that broke off is tried again at once: the connection, which was cut with it, takes its time when that
   * happens often.
   */
  private get mayTry (): boolean {
    return this.options.isOnline() || (this.failures > 0 && this.failures <= triesAlone)
  }

  private async run (): Promise<void> {
    const { engine } = this.options
    while (!this.isStopped && !this.isPaused && this.mayTry && engine.term !== undefined) {
      const next = nextUpload(engine.operations)
      if (next === undefined) return
      await this.upload(next.operation, next.file)
    }
  }

  private async upload ({ position }: StoredOperation, file: PendingFile): Promise<void> {
    const { engine, http, clock, onProgress, onReady } = this.options
    const { key, name = '', fileId } = file
    this.current = { position, ended: new AbortController() }
    const { signal } = this.current.ended
    let before = -1
    try {
      const blob = await engine.file(key)
      if (blob === undefined) throw new TidelogError({ code: 'STORAGE', retryable: false, message: 'The file is gone' })
      const id = await uploadRest({
        http,
        clock,
        blob,
        name,
        key,
        id: fileId,
        signal,
        onBegun: begun => this.note(position, key, { fileId: begun }),
        onProgress: sent => {
          if (before >= 0 && sent > before) this.failures = 0
          before = sent
          onProgress({ key, sent })
        }
      })
      await this.note(position, key, { fileId: id, isUploaded: true })
      this.failures = 0
      onReady()
    } catch (thrown) {
      await this.fail(position, asTidelogError(thrown), signal)
    } finally {
      this.current = undefined
    }
  }

  private async note (
    position: number, key: string, known: Pick<PendingFile, 'fileId' | 'isUploaded'>
  ): Promise<void> {
    const { engine } = this.options
    await engine.writeOutbox(async () => {
      const operation = this.operation(position)
      if (operation === undefined) throw new TidelogError({ code: 'ABORTED' })
      await engine.commit({ put: [withUpload(operation, key, known)] })
    })
  }

  private async fail (position: number, error: TidelogError, { aborted }: AbortSignal): Promise<void> {
    const { engine, random } = this.options
    if (aborted) return
    this.failures++
    const isMissing = error.code === 'NOT_FOUND' && this.failures < missesMax
    if (isPassing(error) || error.status === 401 || isMissing) {
      this.pause(Math.max(error.retryAfterMs ?? 0, backoffMs(random, this.failures)))
      return
    }
    await engine.writeOutbox(async () => {
      const operation = this.operation(position)
      if (operation !== undefined) await engine.commit(refused(engine.operations, operation, toFailure(error)))
    })
  }
}
