import type { RoomInput } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { Field, Segments } from '../ui/fields.tsx'
import { Item, SwitchItem } from '../ui/item.tsx'

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
        <SwitchItem
          icon='lock'
          text={t.isPrivate}
          hint={t.isPrivateHint}
          wraps
          isOn={room.isPrivate}
          onChange={isPrivate => {
            onChange({ ...room, isPrivate })
          }}
        />
        <Item icon='eye' text={t.history} isLong wraps>
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
        </Item>
      </div>
    </>
  )
}
