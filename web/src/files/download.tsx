import type { Attachment } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { Icon } from '../ui/icon.tsx'

/** Stores a file on the device, by the browser's own way. */
export function Download ({ attachment: { name = '' }, src, small = false }: {
  attachment: Attachment
  src: string | undefined
  small?: boolean
}) {
  const t = texts.value.files
  return (
    <a
      {...(src === undefined ? {} : { href: src })}
      class={`ib${small ? ' sm' : ''}`}
      download={name}
      aria-label={t.download(name)}
      title={t.download('')}
    >
      <Icon name='download' />
    </a>
  )
}
