import { texts } from '../i18n/index.ts'
import { move } from '../ui/fields.tsx'

type Theme = 'device' | 'light' | 'dark'
interface Colours {
  bg: string
  surface: string
  line: string
  foam: string
  accent: string
}

const light: Colours = { bg: '#f0f4f6', surface: '#ffffff', line: '#c9d4da', foam: '#d7efec', accent: '#0b6670' }
const dark: Colours = { bg: '#0b1217', surface: '#121b22', line: '#33424d', foam: '#113c41', accent: '#4dc4c6' }

/** Chooses between light, dark, and what the device has, by pictures. */
export function Themes ({ value, onChange }: { value: Theme; onChange: (theme: Theme) => void }) {
  const t = texts.value.settings
  const names: Array<[Theme, string]> = [
    ['device', t.asDevice],
    ['light', t.light],
    ['dark', t.dark]
  ]
  return (
    <div
      class='themes'
      role='radiogroup'
      aria-label={t.theme}
      onKeyDown={event => {
        move(
          event,
          names.map(([key]) => key),
          value,
          onChange
        )
      }}
    >
      {names.map(([key, name]) => (
        <button
          key={key}
          type='button'
          role='radio'
          aria-checked={key === value}
          tabIndex={key === value ? 0 : -1}
          onClick={() => {
            onChange(key)
          }}
        >
          <svg viewBox='0 0 120 72' aria-hidden='true'>
            {key === 'device' && (
              <defs>
                <clipPath id='half'>
                  <path d='M70 0h50v72H50z' />
                </clipPath>
              </defs>
            )}
            {key !== 'dark' && <Picture colours={light} />}
            {key !== 'light' && (
              <g {...(key === 'device' ? { 'clip-path': 'url(#half)' } : {})}>
                <Picture colours={dark} />
              </g>
            )}
          </svg>
          {name}
        </button>
      ))}
    </div>
  )
}

function Picture ({ colours }: { colours: Colours }) {
  return (
    <g>
      <path fill={colours.bg} d='M0 0h120v72H0z' />
      <path fill={colours.surface} d='M40 0h80v72H40z' />
      <path
        stroke={colours.line}
        stroke-width='4'
        stroke-linecap='round'
        d='M10 14h20M10 26h14M10 38h18M52 16h32M52 26h22'
      />
      <rect x='72' y='36' width='40' height='12' rx='6' fill={colours.foam} />
      <rect x='52' y='56' width='60' height='9' rx='4.5' fill='none' stroke={colours.accent} stroke-width='1.5' />
    </g>
  )
}
