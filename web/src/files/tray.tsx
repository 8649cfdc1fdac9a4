import { useEffect, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { Icon, IconButton } from '../ui/icon.tsx'
import { sizeText, typeText } from './kinds.ts'
import type { Chosen, ChosenFiles } from './use-files.ts'

/** The files of the next message, above where it is written. */
export default function Tray ({ files }: { files: ChosenFiles }) {
  const t = texts.value.files
  const { chosen } = files
  return (
    <ul class='tray' aria-label={t.chosen}>
      {chosen.map(one => (
        <li key={one.key} class={one.address === undefined ? 'named' : undefined}>
          <Inside one={one} />
          <IconButton small name='close' label={t.remove(one.file.name)} onClick={() => { files.remove(one.key) }} />
        </li>
      ))}
      {chosen.some(({ address }) => address !== undefined) && <Original files={files} />}
    </ul>
  )
}

function Inside ({ one: { address, file } }: { one: Chosen }) {
  const [isShown, setShown] = useState(address !== undefined)
  if (isShown) return <img src={address} alt={file.name} onError={() => { setShown(false) }} />
  return (
    <>
      <Icon name='file' />
      <span>
        <b class='cut' dir='auto'>{file.name}</b>
        <span class='tiny muted'>
          {[typeText({ id: '', name: file.name, type: file.type }), sizeText(file.size)].join(' · ')}
        </span>
      </span>
    </>
  )
}

/** Pictures go without where they were taken, unless one wants the file itself. */
function Original ({ files }: { files: ChosenFiles }) {
  const t = texts.value.files
  const pictures = files.chosen.filter(({ address }) => address !== undefined)
  const isOriginal = pictures.every(one => one.isOriginal)
  const [isKept, setKept] = useState(false)
  useEffect(() => {
    let isCurrent = true
    Promise.all(pictures.map(({ prepared }) => prepared)).then(
      all => { if (isCurrent) setKept(all.some(({ keepsDetails }) => keepsDetails === true)) }, () => undefined
    )
    return () => { isCurrent = false }
  }, [files.chosen])
  return (
    <li class='original'>
      <button
        type='button'
        class='act tiny'
        aria-pressed={isOriginal}
        onClick={() => {
          for (const one of pictures) if (one.isOriginal === isOriginal) files.toggleOriginal(one.key)
        }}
      >
        <Icon small name={isOriginal ? 'check' : 'image'} />
        {t.original}
      </button>
      <span class='tiny muted'>{isOriginal || isKept ? t.withPlace : t.withoutPlace}</span>
    </li>
  )
}
