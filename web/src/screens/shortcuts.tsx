import { texts } from '../i18n/index.ts'
import { Dialog, DialogHead } from '../ui/dialog.tsx'

/** What the keyboard can do. */
export function Shortcuts ({ onClose }: { onClose: () => void }) {
  const t = texts.value.keys
  const k = t.key
  return (
    <Dialog label={t.title} look='wide' onClose={onClose}>
      <DialogHead title={t.title} onClose={onClose} />
      <div class='keys scroll' tabIndex={-1}>
        <div>
          <Group
            title={t.anywhere}
            keys={[
              [t.search, [k.ctrl, 'K']],
              [t.conversations, [k.alt, '↑', '↓']],
              [t.newMessage, [k.ctrl, k.shift, 'O']],
              [t.help, ['?']]
            ]}
          />
          <Group
            title={t.reading}
            keys={[
              [t.messages, ['↑', '↓']],
              [t.unread, [k.home]],
              [t.newest, [k.end]]
            ]}
          />
        </div>
        <div>
          <Group
            title={t.writing}
            keys={[
              [t.send, [k.enter]],
              [t.line, [k.shift, k.enter]],
              [t.editLast, ['↑']],
              [t.emoji, [k.ctrl, 'E']],
              [t.cancel, [k.esc]]
            ]}
          />
          <Group
            title={t.onMessage}
            keys={[
              [t.reply, ['R']],
              [t.react, ['E']],
              [t.select, ['X']],
              [t.delete, [k.del]]
            ]}
          />
        </div>
      </div>
    </Dialog>
  )
}

function Group ({ title, keys }: { title: string; keys: Array<[string, string[]]> }) {
  return (
    <>
      <h3>{title}</h3>
      <dl>
        {keys.map(([what, pressed]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              {pressed.map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </>
  )
}
