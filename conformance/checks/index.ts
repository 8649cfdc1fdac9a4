import type { History } from '../history.ts'
import type { Checked, PromiseNumber } from '../report.ts'
import { checkComplete } from './complete.ts'
import { checkDevices } from './devices.ts'
import { checkEntitled } from './entitled.ts'
import { checkKept } from './kept.ts'
import { checkOnce } from './once.ts'
import { checkOrder } from './order.ts'
import { checkTime } from './time.ts'

/** One check for each promise of the contract. */
export const checks: Record<PromiseNumber, (history: History) => Checked> = {
  0: ({ faults, attempts }) => ({ looked: attempts.length, unexercised: [], findings: faults.map(({ what }) => ({ what })) }),
  1: checkKept,
  2: checkOnce,
  3: checkComplete,
  4: checkOrder,
  5: checkDevices,
  6: checkEntitled,
  7: checkTime
}
