import type { Arrival } from '../state/faults.ts'
import { texts } from '../i18n/index.ts'

/** Milliseconds that the picture shows, and where it begins and ends. */
const shownMs = 8_000
const from = 72
const to = 592

/** What was sent and when it came, over the last seconds. */
export function Lane ({ arrivals, now }: { arrivals: readonly Arrival[]; now: number }) {
  const place = (at: number) => from + (to - from) * (1 - (now - at) / shownMs)
  const shown = arrivals.filter(arrival => now - arrival.sentAt < shownMs)
  return (
    <svg class='lane' viewBox='0 0 608 148' role='img' aria-label={texts.value.faults.traffic}>
      {[8, 6, 4, 2, 0].map(seconds => {
        const x = place(now - seconds * 1_000)
        return (
          <g key={seconds}>
            <line class='grid' x1={x} x2={x} y1='36' y2='126' />
            <text x={x} y='142' text-anchor='middle'>
              −{seconds}
            </text>
          </g>
        )
      })}
      <line class='ax' x1={from} x2={to} y1='36' y2='36' />
      <line class='ax' x1={from} x2={to} y1='112' y2='112' />
      {shown.map((arrival, at) => {
        const x = place(arrival.sentAt)
        const end = Math.max(x + 6, place(arrival.arrivedAt))
        const isLost = arrival.fate === 'lost'
        return (
          <g key={at}>
            <path class={arrival.fate} d={isLost ? `M${x} 36l7 38m-4 -4l8 8m0 -8l-8 8` : `M${x} 36L${end} 112`} />
            <circle class='p' cx={x} cy='36' r='5' />
            {!isLost && <circle class={arrival.fate === 'ok' ? 'p' : 'h'} cx={end} cy='112' r='4.5' />}
            {arrival.rev !== undefined && arrival.fate !== 'twice' && (
              <text class='rev' x={x} y='22' text-anchor='middle'>
                {arrival.rev}
              </text>
            )}
          </g>
        )
      })}
    </svg>
  )
}
