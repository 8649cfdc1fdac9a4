import { useEffect, useReducer } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { arrivals, cutOff, faults, type FaultName, isCutOff, isListening, killSocket } from '../state/faults.ts'
import { useReadable } from '../state/readable.ts'
import { showsFaults } from '../state/view.ts'
import { Switch } from '../ui/fields.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'
import type { IconName } from '../ui/icons.ts'
import { Lane } from './lane.tsx'
import '../look/faults.css'

/** Disturbs the connection and shows what sync makes of it. */
export function Faults () {
  const t = texts.value.faults
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    isListening.value = true
    const timer = setInterval(() => {
      redraw(undefined)
    }, 500)
    return () => {
      isListening.value = false
      arrivals.length = 0
      clearInterval(timer)
    }
  }, [])
  const inspection = client.inspect()
  return (
    <section class='faults' aria-label={t.title}>
      <header class='bar'>
        <Icon name='bug' />
        <h2 class='grow'>
          {t.title} <span class='tag'>{t.tag}</span>
        </h2>
        <button
          type='button'
          class='btn sm soft'
          onClick={() => {
            cutOff(!isCutOff.value)
          }}
        >
          <Icon small name='cloudOff' />
          {isCutOff.value ? t.goOnline : t.goOffline}
        </button>
        <button type='button' class='btn sm soft' onClick={killSocket}>
          {t.killSocket}
        </button>
        <button
          type='button'
          class='btn sm bare'
          onClick={() => {
            void navigator.clipboard.writeText(JSON.stringify(inspection, null, 2))
          }}
        >
          {t.copy}
        </button>
        <IconButton
          small
          name='close'
          label={texts.value.app.close}
          onClick={() => {
            showsFaults.value = false
          }}
        />
      </header>
      <div class='body'>
        <div>
          <h3>{t.incoming}</h3>
          <Fault name='drop' icon='plug' text={t.drop} hint={t.dropHint} />
          <Fault name='delay' icon='timer' text={t.delay} hint={t.delayHint} />
          <Fault name='double' icon='copy' text={t.double} hint={t.doubleHint} />
          <Fault name='reorder' icon='shuffle' text={t.reorder} hint={t.reorderHint} />
        </div>
        <div>
          <h3>
            <span>{t.traffic}</span>
            <span>
              {inspection.connection.state} · {inspection.tab.leads ? t.leads : t.follows}
            </span>
          </h3>
          <Lane arrivals={arrivals} now={performance.now()} />
          <Counters counters={inspection.counters} />
        </div>
        <div>
          <Logs />
          <Outbox />
        </div>
      </div>
    </section>
  )
}

function Fault ({ name, icon, text, hint }: { name: FaultName; icon: IconName; text: string; hint: string }) {
  const fault = faults.value[name]
  const set = (change: Partial<typeof fault>) => {
    faults.value = { ...faults.value, [name]: { ...fault, ...change } }
  }
  return (
    <div class={`fault${fault.isOn ? ' on' : ''}`}>
      <Icon name={icon} />
      <span>
        <b>{text}</b>
        <small>{hint}</small>
      </span>
      <input
        class='num-in'
        type='number'
        min='0'
        max={name === 'delay' ? 10_000 : 100}
        value={fault.amount}
        disabled={!fault.isOn}
        aria-label={texts.value.faults.howMuch(text)}
        onInput={event => {
          set({ amount: event.currentTarget.valueAsNumber || 0 })
        }}
      />
      <Switch
        label={text}
        isOn={fault.isOn}
        onChange={isOn => {
          set({ isOn })
        }}
      />
    </div>
  )
}

function Counters ({ counters }: { counters: Record<string, number> }) {
  return (
    <p class='tiny muted counters'>
      {Object.entries(counters).map(([name, count]) => (
        <span key={name}>
          {name} <b class='num'>{count}</b>
        </span>
      ))}
    </p>
  )
}

function Logs () {
  const t = texts.value.faults
  const conversations = useReadable(client.conversations)
  return (
    <>
      <h3>
        <span>{t.cursors}</span>
      </h3>
      <table>
        <thead>
          <tr>
            <th>{t.log}</th>
            <th class='r'>{t.rev}</th>
            <th class='r'>{t.unread}</th>
          </tr>
        </thead>
        <tbody>
          {conversations.slice(0, 5).map(summary => (
            <tr key={summary.id}>
              <td class='cut' dir='auto'>
                {summary.title.slice(0, 24)}
              </td>
              <td class='r'>{summary.lastMessage?.rev ?? '–'}</td>
              <td class='r'>{summary.unreadCount}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

function Outbox () {
  const t = texts.value.faults
  const outbox = useReadable(client.outbox)
  return (
    <>
      <h3 class='sp'>
        <span>{t.outbox}</span>
        <span class='num'>{outbox.length}</span>
      </h3>
      <table>
        <thead>
          <tr>
            <th>#</th>
            <th>{t.operation}</th>
            <th>{t.state}</th>
            <th class='r'>{t.tries}</th>
          </tr>
        </thead>
        <tbody>
          {outbox.slice(0, 5).map(operation => (
            <tr key={operation.position}>
              <td>{operation.position}</td>
              <td>{operation.type}</td>
              <td>
                <span class={operation.state === 'failed' ? 'da' : operation.state === 'sending' ? 'ac' : undefined}>
                  {operation.error?.code ?? operation.state}
                </span>
              </td>
              <td class='r'>{operation.attempts}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
