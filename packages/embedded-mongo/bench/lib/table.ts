import type { Line } from './rounds.ts'

/** Prints a row as soon as it is ready, so the widths of the columns are chosen before. */
export class Table {
  readonly #widths: readonly number[]

  constructor (heads: readonly string[], firstWidth: number) {
    this.#widths = heads.map((head, column) => column === 0 ? firstWidth : head.length)
    this.row(heads)
    this.row(heads.map((_, column) => column === 0 ? '---' : '---:'))
  }

  row (cells: readonly string[]): void {
    console.log(`| ${cells.map((cell, column) => column === 0 ? cell.padEnd(this.#widths[0]!) : cell.padStart(this.#widths[column]!)).join(' | ')} |`)
  }
}

export const lineHeads = ['', ' a second', '              target', 'engine is', 'p50 ms', 'p99 ms', 'server µs', 'client µs', 'writer µs', 'V8 µs']

export function cellsOf ({ name, perSecond, ratio, cpu, p50Ms, p99Ms }: Line, target: string, isFirst: boolean): string[] {
  return [
    name,
    Math.round(perSecond).toLocaleString('en'),
    target,
    isFirst ? '' : `${ratio < 0.1 ? ratio.toFixed(3) : ratio.toFixed(2)}×`,
    ...[p50Ms, p99Ms, cpu.server, cpu.client, cpu.writer, cpu.helpers].map(short)
  ]
}

/** Three significant digits. */
function short (value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value >= 0.01 ? value.toFixed(2) : '0'
}
