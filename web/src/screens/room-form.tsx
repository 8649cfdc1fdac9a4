import type { RoomInput } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { Field, Segments, Switch } from '../ui/fields.tsx'
import { Icon } from '../ui/icon.tsx'

const nameMax = 100

/** What a room is: name, who gets in, what new members see. */
export function RoomForm ({
  room,
  onChange,
  error
}: {
  room: Required<RoomInput>
  onChange: (room: Required<RoomInput>) => void
  error?: string | undefined
}) {
  const t = texts.value.rooms
  return (
    <>
      <Field
        label={t.name}
        value={room.name}
        onInput={name => {
          onChange({ ...room, name })
        }}
        maxLength={nameMax}
        error={error}
        hint={t.of([...room.name].length, nameMax)}
        autofocus
      />
      <div class='box'>
        <div class='item wrap'>
          <Icon name='lock' />
          <span class='grow'>
            <b class='cut'>{t.isPrivate}</b>
            <small>{t.isPrivateHint}</small>
          </span>
          <Switch
            label={t.isPrivate}
            isOn={room.isPrivate}
            onChange={isPrivate => {
              onChange({ ...room, isPrivate })
            }}
          />
        </div>
        <div class='item wrap'>
          <Icon name='eye' />
          <span class='grow'>
            <b>{t.history}</b>
          </span>
          <Segments
            label={t.history}
            value={room.history}
            onChange={history => {
              onChange({ ...room, history })
            }}
            options={[
              ['all', t.everything],
              ['joined', t.sinceJoined]
            ]}
          />
        </div>
      </div>
    </>
  )
}
