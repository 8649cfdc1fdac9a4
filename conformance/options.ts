import { parseArgs } from 'node:util'

export interface Options {
  /** So many nodes are started here; 0: the deployment that `urls` name is attacked. */
  nodes: number
  urls: string[]
  kill: string | undefined
  restart: string | undefined
  pidFile: string | undefined
  minutes: number
  seed: number
  tokens: string[]
  common: boolean
}

export class OptionsError extends Error {}

export const usage = `npm run conformance -- <url> [<url of another node> …] [options]
npm run conformance -- --nodes 3 [--minutes 2] [--seed <n>]
  --nodes <n>             starts so many nodes here, and attacks them under one fault after the other, 2 minutes each
  --restart "<command>"   starts the deployment again (it may go on running); without --kill and --pid-file it ends it too
  --kill "<command>"      ends it, best with kill -9
  --pid-file <file>       ends the process named in this file with kill -9
  --minutes <n>           how long to attack, 1 by default
  --seed <n>              for the same choices again
  --tokens <a,b,c,d>      tokens of four users, where the deployment registers none
  --no-common             writes nothing to the common chat`

/** @throws OptionsError with one line that says what is wrong */
export function readOptions (args: string[]): Options {
  const { values, positionals } = parse(args)
  const nodes = Number(values.nodes ?? 0)
  if (!Number.isInteger(nodes) || nodes < 0 || nodes === 1) {
    throw new OptionsError('--nodes must be a whole number above 1')
  }
  if (positionals.length === 0 && nodes === 0) throw new OptionsError('Name the address of the deployment')
  const minutes = Number(values.minutes ?? (nodes > 0 ? 2 : 1))
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  if (!(minutes > 0)) throw new OptionsError('--minutes must be a number above 0')
  if (!Number.isInteger(seed)) throw new OptionsError('--seed must be a whole number')
  if ((values.kill ?? values['pid-file']) !== undefined && values.restart === undefined) throw new OptionsError('--kill and --pid-file need --restart')
  return {
    nodes,
    urls: positionals.map(addressOf),
    kill: values.kill,
    restart: values.restart,
    pidFile: values['pid-file'],
    minutes,
    seed,
    tokens: (values.tokens ?? '').split(',').filter(token => token !== ''),
    common: values['no-common'] !== true
  }
}

function parse (args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        nodes: { type: 'string' },
        kill: { type: 'string' },
        restart: { type: 'string' },
        'pid-file': { type: 'string' },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        tokens: { type: 'string' },
        'no-common': { type: 'boolean' }
      }
    })
  } catch (error) {
    throw new OptionsError((error as Error).message)
  }
}

function addressOf (given: string): string {
  if (!URL.canParse(given) || !/^https?:/.test(given)) throw new OptionsError(`${given} is no http address`)
  return given.replace(/\/+$/, '')
}
