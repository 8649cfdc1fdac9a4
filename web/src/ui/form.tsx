import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { why } from '../state/failures.ts'
import { Dialog, DialogFoot, DialogHead } from './dialog.tsx'
import { Trouble } from './fields.tsx'

interface FormProps {
  /** What the main button says. */
  act: string
  /** Rejects: the form says why, and stays. */
  onSave: () => Promise<unknown>
  onClose: () => void
  isComplete?: boolean
  /** What it does cannot be undone. */
  isDanger?: boolean
  /** At the other end of the foot. */
  aside?: ComponentChildren
  /** Gets what went wrong, if a field shows it itself. */
  children: ComponentChildren | ((error: string | undefined, code: string | undefined) => ComponentChildren)
}

/** A form in a dialog: saves, or says why it cannot. */
export function Form ({ act, onSave, onClose, isComplete = true, isDanger = false, aside, children }: FormProps) {
  const [failure, setFailure] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)
  const hasPlace = typeof children === 'function'
  const error = failure === undefined ? undefined : why(failure)

  async function save () {
    setBusy(true)
    setFailure(undefined)
    try {
      await onSave()
    } catch (thrown) {
      setFailure(thrown)
    } finally {
      setBusy(false)
    }
  }

  return (
    <form
      class='create'
      onSubmit={event => {
        event.preventDefault()
        void save()
      }}
    >
      <div class='form scroll'>
        {hasPlace ? children(error, (failure as { code?: string } | undefined)?.code) : children}
        {error !== undefined && !hasPlace && <Trouble text={error} />}
      </div>
      <DialogFoot aside={aside} onClose={onClose}>
        <button class={`btn ${isDanger ? 'line danger' : 'main'}`} disabled={isBusy || !isComplete}>
          {act}
        </button>
      </DialogFoot>
    </form>
  )
}

/** A dialog that is a form; it closes after saving. */
export function FormDialog ({ title, onSave, onClose, ...form }: FormProps & { title: string }) {
  return (
    <Dialog label={title} onClose={onClose}>
      <DialogHead title={title} onClose={onClose} />
      <Form
        {...form}
        onClose={onClose}
        onSave={async () => {
          await onSave()
          onClose()
        }}
      />
    </Dialog>
  )
}
