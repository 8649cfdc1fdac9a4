import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { language, type Language, texts } from '../i18n/index.ts'
import { isWide } from '../state/view.ts'
import { Dialog } from './dialog.tsx'
import { type EmojiRequest, quickEmoji } from './emoji.ts'
import { Find } from './fields.tsx'
import { place } from './menu.tsx'

type Emoji = readonly [emoji: string, label: string, words: string, group: number]

const loaders: Record<Language, () => Promise<{ default: readonly Emoji[] }>> = {
  en: () => import('virtual:emoji/en'),
  de: () => import('virtual:emoji/de')
}

/** The groups of the list that hold emoji of their own; 2 is skin and hair. */
const groups = [0, 1, 3, 4, 5, 6, 7, 8, 9]

/** All emoji, by group and by search; arrow keys walk the grid. */
export function EmojiPicker ({ request, onClose }: { request: EmojiRequest; onClose: () => void }) {
  const pick = (emoji: string) => {
    onClose()
    request.onPick(emoji)
  }
  if (!isWide.value) {
    return (
      <Dialog label={texts.value.emoji.title} look='sheet' onClose={onClose}>
        <Grid onPick={pick} />
      </Dialog>
    )
  }
  return <Popup request={request} onClose={onClose} onPick={pick} />
}

function Popup ({
  request,
  onClose,
  onPick
}: {
  request: EmojiRequest
  onClose: () => void
  onPick: (emoji: string) => void
}) {
  const element = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const popup = element.current
    if (popup === null) return
    popup.showPopover()
    place(popup, request.anchor)
    popup.querySelector('input')?.focus()
  }, [request])
  useEffect(() => {
    const outside = (event: Event) => {
      if (!(event.target instanceof Node && element.current?.contains(event.target) === true)) onClose()
    }
    document.addEventListener('pointerdown', outside, true)
    return () => {
      document.removeEventListener('pointerdown', outside, true)
    }
  }, [onClose])
  return (
    <div
      ref={element}
      class='menu emoji'
      popover='manual'
      role='dialog'
      aria-label={texts.value.emoji.title}
      onKeyDown={event => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        onClose()
        if (request.anchor instanceof HTMLElement) request.anchor.focus()
      }}
    >
      <Grid onPick={onPick} />
    </div>
  )
}

function Grid ({ onPick }: { onPick: (emoji: string) => void }) {
  const t = texts.value.emoji
  const [query, setQuery] = useState('')
  const [all, setAll] = useState<readonly Emoji[]>([])
  useEffect(() => {
    void loaders[language.value]().then(module => {
      setAll(module.default)
    })
  }, [language.value])
  const sections = useMemo(() => sectionsOf(all, query.trim().toLowerCase(), t.recent, t.groups), [all, query, t])

  function onKeyDown (event: KeyboardEvent & { currentTarget: HTMLElement }): void {
    const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('.grid button')]
    const at = buttons.indexOf(document.activeElement as HTMLElement)
    if (at < 0 && event.key === 'Enter') buttons[0]?.click()
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key]
    if (step === undefined || (at < 0 && event.key !== 'ArrowDown')) return
    event.preventDefault()
    if (at + step < 0) event.currentTarget.querySelector('input')?.focus()
    else buttons[at < 0 ? 0 : Math.min(at + step, buttons.length - 1)]?.focus()
  }

  return (
    <div class='picker' onKeyDown={onKeyDown}>
      <Find label={t.find} placeholder={t.find} value={query} onInput={setQuery} />
      <div class='scroll' tabIndex={-1}>
        {sections.map(([name, emoji], section) => (
          <section key={name} class='group'>
            <h3>{name}</h3>
            <div class='grid'>
              {emoji.map(([unicode, label], at) => (
                <button
                  key={unicode}
                  type='button'
                  // One stop for Tab; the arrow keys go from one to the other.
                  tabIndex={section === 0 && at === 0 ? 0 : -1}
                  aria-label={label}
                  title={label}
                  onClick={() => {
                    onPick(unicode)
                  }}
                >
                  {unicode}
                </button>
              ))}
            </div>
          </section>
        ))}
        {all.length > 0 && sections.length === 0 && <p class='calm'>{t.none}</p>}
      </div>
    </div>
  )
}

function sectionsOf (
  all: readonly Emoji[],
  query: string,
  recentName: string,
  names: readonly string[]
): Array<[string, readonly Emoji[]]> {
  if (query !== '') {
    const fits = (word: string) => word.toLowerCase().startsWith(query)
    const found = all.filter(([, label, words]) => label.toLowerCase().includes(query) || words.split(' ').some(fits))
    return found.length === 0 ? [] : [['', found.slice(0, 120)]]
  }
  const known = new Map(all.map(emoji => [emoji[0], emoji]))
  const latest = quickEmoji().slice(0, 16).map((emoji): Emoji => known.get(emoji) ?? [emoji, emoji, '', 0])
  const sections = groups.map((group): [string, Emoji[]] => [names[group] ?? '', all.filter(emoji => emoji[3] === group)])
  return [[recentName, latest], ...sections.filter(([, emoji]) => emoji.length > 0)]
}
