import type { ComponentChildren } from 'preact'
import { texts } from '../i18n/index.ts'
import { back } from '../router.ts'
import { isWide } from '../state/view.ts'
import { IconButton } from './icon.tsx'

/** The bar above a page, with the way back where the page has the screen for itself. */
export function PageHead ({ children }: { children: ComponentChildren }) {
  return (
    <header class='bar'>
      {!isWide.value && <BackButton />}
      {children}
    </header>
  )
}

export function BackButton ({ onClick }: { onClick?: () => void }) {
  return (
    <IconButton
      name='back'
      label={texts.value.app.back}
      class='back'
      flip
      onClick={() => {
        if (onClick === undefined) back()
        else onClick()
      }}
    />
  )
}
