import type { History } from '../history.ts'
import { type Checked, type PromiseNumber, type SectionName, merge, sections } from '../report.ts'
import { checkComplete } from './complete.ts'
import { checkContract } from './contract.ts'
import { checkDevices } from './devices.ts'
import { checkEntitled } from './entitled.ts'
import { checkKept } from './kept.ts'
import { checkOnce } from './once.ts'
import { checkOrder } from './order.ts'
import { latePolls } from './polls.ts'
import { wrongCounts } from './settings.ts'
import { checkTime } from './time.ts'

type Check = (history: History) => Checked

/** The check of each promise on the load. */
const ofLoad: Record<PromiseNumber, Check> = {
  0: history => ({
    looked: history.attempts.length,
    unexercised: [],
    findings: [...history.faults.map(({ what }) => ({ what })), ...latePolls(history)]
  }),
  1: checkKept,
  2: checkOnce,
  3: checkComplete,
  4: checkOrder,
  5: checkDevices,
  6: checkEntitled,
  7: checkTime
}

const promiseChecks = Object.entries(ofLoad).map(([key, check]): [PromiseNumber, Check] => {
  const number = Number(key) as PromiseNumber
  return [number, history => merge(check(history), checkContract(history, number))]
})
const sectionChecks = (Object.keys(sections) as SectionName[]).map((name): [SectionName, Check] => [name, history => checkContract(history, name)])
const counted: Check = history => merge(checkContract(history, 'reads'), { looked: history.counts.length, unexercised: [], findings: wrongCounts(history) })

/** One check for each promise of the contract, and for each of its sections. */
export const checks: ReadonlyMap<PromiseNumber | SectionName, Check> = new Map<PromiseNumber | SectionName, Check>([...promiseChecks, ...sectionChecks, ['reads', counted]])
