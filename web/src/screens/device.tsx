import { useEffect, useState } from 'preact/hooks'
import { size } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { useReadable } from '../state/readable.ts'
import { Box, Item } from '../ui/item.tsx'

/** What is kept on this device: as water in a gauge. */
export function DeviceBox () {
  const t = texts.value.settings
  const conversations = useReadable(client.conversations)
  const outbox = useReadable(client.outbox)
  const [estimate, setEstimate] = useState<StorageEstimate>({})
  useEffect(() => {
    void navigator.storage?.estimate().then(setEstimate, () => undefined)
  }, [])
  const { usage = 0, quota = 0 } = estimate
  const waiting = outbox.filter(operation => operation.type === 'send').length
  // A tenth of the gauge is what one sees of a few megabytes among gigabytes.
  const level = 400 * Math.max(0.08, Math.min(1, quota === 0 ? 0 : usage / quota))
  return (
    <Box title={t.device}>
      <div class='gauge' role='img' aria-label={t.usedOf(size(usage), size(quota))}>
        <svg viewBox='0 0 400 44' preserveAspectRatio='none'>
          <path d={`M-4 48V-4H${level}q5 7 0 13t0 13 0 13 0 13z`} />
        </svg>
        <span>
          <span class='num'>{size(usage)}</span>
          <span class='muted num'>{t.ofQuota(size(quota))}</span>
        </span>
      </div>
      <p class='small muted in'>{t.deviceHint(conversations.length)}</p>
      <Item icon='clock' text={t.waiting} hint={waiting === 0 ? t.nothing : t.waitingCount(waiting)} />
    </Box>
  )
}
