import type { LogCollections } from '../log/model/collections.ts'
import type { Defect } from './defect.ts'

/** The state that all steps of one examination share. */
export interface Examination {
  collections: LogCollections
  /** Names of the indexes that can be hinted. */
  usable: ReadonlySet<string>
  /** Rows read so far. */
  rows: number
  say: (defect: Defect) => void
}
