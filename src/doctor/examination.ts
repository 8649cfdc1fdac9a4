import type { LogCollections } from '../log/model/collections.ts'
import type { Defect } from './defect.ts'

/** What all steps of one examination share. */
export interface Examination {
  collections: LogCollections
  /** Names of the indexes that can be hinted. */
  usable: ReadonlySet<string>
  /** Rows looked at. */
  rows: number
  say: (defect: Defect) => void
}
