import type { Comparison } from './compare.ts'
import type { Provenance } from './machine.ts'

/** The run as Markdown that can be pasted into README.md. */
export function header ({ command, commit, machine, date, loadBefore }: Provenance): string {
  return [`- command: \`${command}\``, `- commit: ${commit}`, `- machine: ${machine}; load average before: ${loadBefore}`, `- date: ${date}`].join('\n')
}

export function table ({ title, unit, lines, target }: Comparison): string {
  const withLatency = lines.some(line => line.latency !== undefined)
  const rows = lines.map(({ name, perSecond, ratio, cpu, latency }, index) => [
    name,
    count(perSecond),
    index === 0 ? '' : `${ratio.toFixed(2)}×`,
    cpu.all === 0 ? '' : `${cpu.all.toFixed(cpu.all < 10 ? 1 : 0)} (${cpu.main.toFixed(cpu.main < 10 ? 1 : 0)})`,
    ...(withLatency ? latency === undefined ? ['', '', ''] : [latency.p50, latency.p99, latency.max].map(millis) : [])
  ])
  const head = ['', `${unit}/s`, 'Tidelog is', 'CPU µs each (main thread)', ...(withLatency ? ['p50 ms', 'p99 ms', 'max ms'] : [])]
  const all = [head, head.map((_, index) => index === 0 ? '---' : '---:'), ...rows]
  const widths = head.map((_, column) => Math.max(...all.map(row => row[column]!.length)))
  const text = all.map(row => `| ${row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join(' | ')} |`)
  return [`### ${title}`, '', ...text, ...(target === undefined ? [] : ['', `Target: ${target.text}: ${target.met ? 'met' : '**missed**'}.`]), ''].join('\n')
}

function count (value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function millis (value: number): string {
  return value.toFixed(value < 10 ? 2 : 1)
}
