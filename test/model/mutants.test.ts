import t from 'tap'
import { mutants } from './mutants.ts'
import { findsEach } from './promises.ts'

findsEach(t, mutants)
