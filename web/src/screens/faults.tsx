import type { ComponentChildren } from 'preact'
import { useEffect, useReducer, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { arrivals, cutOff, faults, type FaultName, isCutOff, isListening, killSocket } from '../state/faults.ts'
import { isFull, readStored, skewMinutes, type Stored } from '../state/device-faults.ts'
import { freezeLeader } from '../state/freeze.ts'
import { useReadable } from '../state/readable.ts'
import { showsFaults } from '../state/view.ts'
import { Switch } from '../ui/fields.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'
import type { IconName } from '../ui/icons.ts'
import { Held, Logs } from './stored.tsx'
import { Lane } from './lane.tsx'
import '../look/faults.css'

/** Disturbs the connection and shows how sync copes. */
export function Faults () {
  const t = texts.value.faults
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  const [stored, setStored] = useState<Stored>()
  useEffect(() => {
    isListening.value = true
    const timer = setInterval(() => {
      redraw(undefined)
      readStored().then(setStored, () => undefined)
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
        <button type='button' class='btn sm soft' onClick={freezeLeader}>
          <Icon small name='pause' />
          {t.freezeLeader}
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
          <h3 class='sp'>{t.thisDevice}</h3>
          <Skew />
          <Full />
        </div>
        <div>
          <h3>
            <span>{t.traffic}</span>
            <span>
              {inspection.connection.state} · {inspection.tab.leads ? t.leads : t.follows},{' '}
              {t.term(inspection.tab.term)}
            </span>
          </h3>
          <Lane arrivals={arrivals} now={performance.now()} />
          <Counters counters={inspection.counters} />
          <Held stored={stored} />
        </div>
        <div>
          <Logs stored={stored} />
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
    <Disturbance
      icon={icon}
      text={text}
      hint={hint}
      isOn={fault.isOn}
      onChange={isOn => {
        set({ isOn })
      }}
    >
      <Amount
        label={text}
        max={name === 'delay' ? 10_000 : 100}
        value={fault.amount}
        disabled={!fault.isOn}
        onChange={amount => {
          set({ amount })
        }}
      />
    </Disturbance>
  )
}

const skewDefault = 10
const skewMax = 1_440

function Skew () {
  const t = texts.value.faults
  const [minutes, setMinutes] = useState(skewMinutes.value === 0 ? skewDefault : skewMinutes.value)
  const isOn = skewMinutes.value !== 0
  return (
    <Disturbance
      icon='clock'
      text={t.skew}
      hint={t.skewHint}
      isOn={isOn}
      onChange={on => {
        skewMinutes.value = on ? minutes : 0
      }}
    >
      <Amount
        label={t.skew}
        min={-skewMax}
        max={skewMax}
        value={minutes}
        disabled={!isOn}
        onChange={amount => {
          setMinutes(amount)
          skewMinutes.value = amount
        }}
      />
    </Disturbance>
  )
}

function Full () {
  const t = texts.value.faults
  return (
    <Disturbance
      icon='storage'
      text={t.full}
      hint={t.fullHint}
      isOn={isFull.value}
      onChange={on => {
        isFull.value = on
      }}
    />
  )
}

/** A disturbance: what it is, how much of it, on or off. */
function Disturbance ({
  icon,
  text,
  hint,
  isOn,
  onChange,
  children
}: {
  icon: IconName
  text: string
  hint: string
  isOn: boolean
  onChange: (on: boolean) => void
  children?: ComponentChildren
}) {
  return (
    <div class={`fault${isOn ? ' on' : ''}`}>
      <Icon name={icon} />
      <span>
        <b>{text}</b>
        <small>{hint}</small>
      </span>
      {children ?? <span />}
      <Switch label={text} isOn={isOn} onChange={onChange} />
    </div>
  )
}

function Amount ({
  label,
  value,
  min = 0,
  max,
  disabled,
  onChange
}: {
  label: string
  value: number
  min?: number
  max: number
  disabled: boolean
  onChange: (amount: number) => void
}) {
  return (
    <input
      class='num-in'
      type='number'
      min={min}
      max={max}
      value={value}
      disabled={disabled}
      aria-label={texts.value.faults.howMuch(label)}
      onInput={event => {
        onChange(event.currentTarget.valueAsNumber || 0)
      }}
    />
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
