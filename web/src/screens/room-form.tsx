import type { RoomInput } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { Field, Segments } from '../ui/fields.tsx'
import { Item, SwitchItem } from '../ui/item.tsx'

const nameMax = 100
const topicMax = 200
const descriptionMax = 1_000
/** Seconds between two messages, by which one chooses. */
const waits = [0, 10, 60, 900]

/** What a form holds of a room; an empty text is none. */
export interface RoomFields {
  name: string
  topic: string
  description: string
  isPrivate: boolean
  history: 'all' | 'joined'
  /** Of a room that is made. */
  rules?: Required<Pick<RoomInput, 'postRole' | 'slowModeS' | 'systemMessages'>>
}

export const noFields: RoomFields = { name: '', topic: '', description: '', isPrivate: false, history: 'all' }

/** As the server takes it. */
export function toInput ({ name, topic, description, rules, ...rest }: RoomFields) {
  const texts = { name: name.trim(), topic: topic.trim() || null, description: description.trim() || null }
  return { ...rest, ...rules, ...texts }
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
  const { rules } = room
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
        hint={counted(room.name, nameMax)}
        autofocus
      />
      <Field
        label={t.topic}
        value={room.topic}
        onInput={topic => {
          onChange({ ...room, topic })
        }}
        maxLength={topicMax}
        hint={counted(room.topic, topicMax) ?? t.topicHint}
        required={false}
      />
      <Field
        label={t.description}
        value={room.description}
        onInput={description => {
          onChange({ ...room, description })
        }}
        maxLength={descriptionMax}
        hint={counted(room.description, descriptionMax) ?? t.descriptionHint}
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
        {rules !== undefined && <Rules rules={rules} onChange={changed => { onChange({ ...room, rules: changed }) }} />}
      </div>
    </>
  )
}

/** How much of the room for a text is used, once there is little left of it. */
function counted (text: string, max: number): string | undefined {
  const { length } = [...text]
  return length > max * 0.8 ? texts.value.rooms.of(length, max) : undefined
}

/** Who writes how often, and what the room says by itself. */
function Rules ({
  rules,
  onChange
}: {
  rules: NonNullable<RoomFields['rules']>
  onChange: (rules: NonNullable<RoomFields['rules']>) => void
}) {
  const t = texts.value.rooms
  const named = (s: number) => (s === 0 ? t.off : s < 60 ? t.seconds(s) : t.minutes(s / 60))
  return (
    <>
      <SwitchItem
        icon='message'
        text={t.announcements}
        hint={t.announcementsHint}
        wraps
        isOn={rules.postRole === 'moderator'}
        onChange={isOn => {
          onChange({ ...rules, postRole: isOn ? 'moderator' : 'member' })
        }}
      />
      <Item icon='timer' text={t.slowMode} hint={t.slowModeHint} wraps>
        <Segments
          label={t.slowMode}
          value={String(rules.slowModeS)}
          onChange={seconds => {
            onChange({ ...rules, slowModeS: Number(seconds) })
          }}
          options={waits.map(seconds => [String(seconds), named(seconds)] as const)}
        />
      </Item>
      <SwitchItem
        icon='members'
        text={t.systemMessages}
        hint={t.systemMessagesHint}
        wraps
        isOn={rules.systemMessages}
        onChange={systemMessages => {
          onChange({ ...rules, systemMessages })
        }}
      />
    </>
  )
}
