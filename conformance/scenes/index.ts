import type { History } from '../history.ts'
import type { Person } from '../people.ts'
import type { SectionName } from '../report.ts'
import type { Rest } from '../rest.ts'
import { abuse } from './abuse.ts'
import { blocks } from './blocks.ts'
import { Cast } from './cast.ts'
import { answersToRetries, contents } from './changes.ts'
import { findableRooms, namedLive, people } from './choices.ts'
import { conversations, ownSettings, scopes } from './conversations.ts'
import { documents } from './documents.ts'
import { heads } from './heads.ts'
import { junkEvents } from './junk-events.ts'
import { junk, withoutToken } from './junk.ts'
import { limits } from './limits.ts'
import { polls } from './polls.ts'
import { presence } from './presence.ts'
import { manyUnread, reads } from './reads.ts'
import { abandonedRooms, publicRooms, roles } from './roles.ts'
import { type Observation, Sheet } from './sheet.ts'
import { expiry, sessions, strangeTokens } from './tokens.ts'
import { typing } from './typing.ts'
import { comingBack, views } from './views.ts'

export type Scene = (cast: Cast) => Promise<void>

/** Every scene, with the contract's section to which it belongs. */
export const scenes: ReadonlyArray<[SectionName, Scene]> = [
  ['tokens', strangeTokens], ['tokens', withoutToken], ['tokens', sessions], ['tokens', expiry],
  ['typing', typing], ['presence', presence],
  ['messages', answersToRetries], ['messages', contents], ['blocks', blocks],
  ['rooms', roles], ['rooms', publicRooms], ['rooms', abandonedRooms], ['views', views], ['views', comingBack],
  ['rooms', findableRooms], ['people', people],
  ['conversations', conversations], ['conversations', ownSettings], ['conversations', scopes],
  ['conversations', namedLive],
  ['reads', reads], ['reads', manyUnread],
  ['heads', heads], ['polls', polls],
  ['junk', junk], ['junk', junkEvents], ['limits', limits], ['documents', documents],
  ['abuse', abuse]
]

/** Scenes that mostly wait, or do not depend on others. They run concurrently, after the exact ones. */
const patient: ReadonlySet<Scene> = new Set<Scene>([presence, limits, expiry, junk, documents])

/** Scenes that run alone, after all others. */
const loud: ReadonlySet<Scene> = new Set<Scene>([abuse])

export interface RoundOptions {
  history: History
  rest: Rest
  /** Three users who know each other, and a stranger. */
  everybody: readonly Person[]
  common: boolean
  run: string
  /** Does the deployment register users? */
  registers: boolean
  /** Milliseconds to wait for something that must come. */
  patienceMs?: number
  only?: ReadonlyArray<[SectionName, Scene]>
  /** Called with each failed observation. If it throws, the scene ends. */
  onFinding?: (finding: Observation) => void
}

/** Plays every scene once, and records the observations. */
export async function playScenes ({ history, only = scenes, patienceMs = 8_000, onFinding, ...given }: RoundOptions): Promise<void> {
  const play = async ([section, scene]: [SectionName, Scene]) => {
    const sheet = new Sheet(onFinding)
    sheet.begin(section)
    const cast = new Cast({ history, sheet, patienceMs, ...given })
    try {
      await scene(cast)
    } catch (error) {
      sheet.observations.push({ under: section, what: `the scene "${scene.name}" can be played to its end`, held: false, evidence: (error as Error).message })
    } finally {
      cast.close()
    }
    history.observations.push(...sheet.observations)
    history.unexercised.push(...sheet.unexercised)
  }
  for (const one of only.filter(([, scene]) => !patient.has(scene) && !loud.has(scene))) await play(one)
  await Promise.all(only.filter(([, scene]) => patient.has(scene)).map(play))
  for (const one of only.filter(([, scene]) => loud.has(scene))) await play(one)
}
