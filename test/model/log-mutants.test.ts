import t from 'tap'
import { logMutants } from './log-mutants.ts'
import { findsEach } from './promises.ts'

findsEach(t, logMutants)
