import { texts } from '../i18n/index.ts'
import { Confirm } from '../ui/dialog.tsx'

/** Asks before messages are deleted: nobody can bring them back. */
export function DeleteDialog ({ count, forAll, onAct, onClose }: {
  count: number
  /** For everybody, not for oneself alone. */
  forAll: boolean
  onAct: () => void
  onClose: () => void
}) {
  const t = texts.value.chat
  const question = forAll ? t.deleteSure(count) : t.hideSure(count)
  return <Confirm question={question} act={t.delete} onAct={onAct} onClose={onClose} />
}
