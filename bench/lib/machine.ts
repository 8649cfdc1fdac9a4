import { execFileSync } from 'node:child_process'
import { cpus, loadavg, totalmem } from 'node:os'

/** The commit and the machine of a run. A figure without them means nothing. */
export interface Provenance {
  command: string
  commit: string
  machine: string
  date: string
  /** Load average of the last minute before the run. Above 0.5 other work was running too. */
  loadBefore: number
}

/** @param script of package.json */
export function provenance (script: string, args: readonly string[] = []): Provenance {
  const all = cpus()
  return {
    command: [`npm run ${script}`, ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    commit: commit(),
    machine: `${all.length} × ${all[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`,
    date: new Date().toISOString(),
    loadBefore: Math.round(loadavg()[0]! * 100) / 100
  }
}

function commit (): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'plugins', 'routes', 'packages') !== ''
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? ' and uncommitted changes' : ''}`
  } catch {
    return 'unknown'
  }
}
