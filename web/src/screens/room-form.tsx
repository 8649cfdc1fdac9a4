import { texts } from '../i18n/index.ts'
import { Field, Segments } from '../ui/fields.tsx'
import { Item, SwitchItem } from '../ui/item.tsx'

const nameMax = 100
const topicMax = 200
const descriptionMax = 1_000

/** What a form holds of a room; an empty text is none. */
export interface RoomFields {
  name: string
  topic: string
  description: string
  isPrivate: boolean
  history: 'all' | 'joined'
}

export const noFields: RoomFields = { name: '', topic: '', description: '', isPrivate: false, history: 'all' }

/** As the server takes it. */
export function toInput ({ name, topic, description, ...rest }: RoomFields) {
  return { ...rest, name: name.trim(), topic: topic.trim() || null, description: description.trim() || null }
}

/** What a room is: name, topic, who gets in, what new members see. */
export function RoomForm ({
  room,
  onChange,
  error
}: {
  room: RoomFields
  onChange: (room: RoomFields) => void
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
      <Field
        label={t.topic}
        value={room.topic}
        onInput={topic => {
          onChange({ ...room, topic })
        }}
        maxLength={topicMax}
        hint={t.topicHint}
        required={false}
      />
      <Field
        label={t.description}
        value={room.description}
        onInput={description => {
          onChange({ ...room, description })
        }}
        maxLength={descriptionMax}
        hint={t.of([...room.description].length, descriptionMax)}
        required={false}
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
