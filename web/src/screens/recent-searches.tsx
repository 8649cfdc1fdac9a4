import { texts } from '../i18n/index.ts'
import { Icon, IconButton } from '../ui/icon.tsx'

/** What was searched for on this device; each can be repeated or removed. */
export function RecentSearches ({
  searches,
  onSearch,
  onRemove
}: {
  searches: readonly string[]
  onSearch: (text: string) => void
  onRemove: (text: string) => void
}) {
  const t = texts.value.search
  if (searches.length === 0) return null
  return (
    <section aria-label={t.recent}>
      <h2>{t.recent}</h2>
      {searches.map(text => (
        <div key={text} class='item recent'>
          <button
            type='button'
            class='grow'
            dir='auto'
            onClick={() => {
              onSearch(text)
            }}
          >
            <Icon small name='clock' />
            <span class='cut'>{text}</span>
          </button>
          <IconButton
            small
            name='close'
            label={t.forget(text)}
            onClick={() => {
              onRemove(text)
            }}
          />
        </div>
      ))}
    </section>
  )
}
