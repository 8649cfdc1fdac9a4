import { TidelogError } from '../../errors.ts'

const iso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/

/**
 * Parses a client's time: ISO-8601 (UTC if it names no zone) or milliseconds since 1970. Other forms are refused: a
 * wrong guess would make a client miss messages.
 * @throws TidelogError VALIDATION naming the field
 */
export function parseTimestamp (field: string, value: string | number): Date {
  const time = timeOf(value)
  if (Number.isNaN(time.getTime())) {
    throw new TidelogError('VALIDATION', `${field} must be an ISO-8601 time or milliseconds since 1970`)
  }
  return time
}

function timeOf (value: string | number): Date {
  if (typeof value === 'number') return new Date(value)
  if (/^\d{12,14}$/.test(value)) return new Date(Number(value))
  if (!iso.test(value)) return new Date(NaN)
  // A date without a time is UTC already.
  const namesZone = !value.includes('T') || /T.*(Z|[+-]\d{2}:?\d{2})$/.test(value)
  return new Date(namesZone ? value : `${value}Z`)
}

/** Milliseconds by which a client's time may be ahead of the server's. */
const aheadMaxMs = 60_000

/**
 * Refuses a time in the future (from another calendar, or in microseconds): the client would skip messages.
 * @param latest the latest time that the server has assigned, which may be ahead of its clock
 * @throws TidelogError VALIDATION naming the field
 */
export function refuseFuture (
  field: string, time: Date | undefined, now: number, latest: Date | null | undefined
): void {
  if (time !== undefined && time.getTime() > Math.max(now, latest?.getTime() ?? 0) + aheadMaxMs) {
    throw new TidelogError(
      'VALIDATION', `${field} is in the future: the server's time is ${new Date(now).toISOString()}`
    )
  }
}
