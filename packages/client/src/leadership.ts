import { backoffMs } from './clock.ts'
import type { Core } from './core.ts'
import type { Leading } from './engine/leading.ts'
import { TidelogError, toFailure } from './errors.ts'
import type { Failure } from './types.ts'

export interface LeadershipOptions {
  core: Core
  /** A leader that has begun. Its code may not come, the storage may refuse. */
  make: () => Promise<Leading>
  onMade: () => void
  /** It could not be made, and is tried again at this time. */
  onWait: (retryAt: number, error: Failure) => void
}

/** What talks to the server, if this tab leads. It may be taken away at any moment, while it is being made too. */
export class Leadership {
  leader: Leading | undefined
  private readonly options: LeadershipOptions
  private making: Promise<Leading> | undefined
  private isConnecting = false
  /** In a row, in which it could not be made. */
  private failures = 0
  private cancelRetry = () => {}

  constructor (options: LeadershipOptions) {
    this.options = options
  }

  /** Makes it, and connects; tries again until that works or it is taken away. */
  async connect (): Promise<void> {
    this.isConnecting = true
    this.cancelRetry()
    try {
      const leader = await this.make()
      this.failures = 0
      if (leader === this.leader && this.isConnecting) leader.start()
    } catch (thrown) {
      // Taken away meanwhile, or being made again.
      if (!this.isConnecting || this.making !== undefined) return
      const { core: { clock, random }, core, onWait } = this.options
      const error = toFailure(thrown)
      core.fail(error)
      const waitMs = backoffMs(random, ++this.failures)
      onWait(clock.now() + waitMs, error)
      this.cancelRetry = clock.after(waitMs, () => { void this.connect() })
    }
  }

  /** @throws TidelogError OFFLINE if it is taken away meanwhile */
  make (): Promise<Leading> {
    const making = this.making ?? this.options.make().then(async leader => {
      if (this.making !== making) {
        await leader.stop()
        throw new TidelogError({ code: 'OFFLINE' })
      }
      this.leader = leader
      this.options.onMade()
      return leader
    }).catch((error: unknown) => {
      if (this.making === making) this.making = undefined
      throw error
    })
    this.making = making
    return making
  }

  /** The one that is, or is being made; undefined: none. */
  async current (): Promise<Leading | undefined> {
    return this.leader ?? await this.making?.catch(() => undefined)
  }

  /** Takes it away. Resolves when nothing of it is under way any more. */
  async end (): Promise<void> {
    const { leader, making } = this
    this.isConnecting = false
    this.cancelRetry()
    this.leader = this.making = undefined
    if (leader !== undefined) await leader.stop()
    else await making?.catch(() => {})
  }
}
