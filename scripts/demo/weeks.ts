import { isNewcomer, type Talk } from './talk.ts'

const sites = ['north flat', 'south flat', 'the bar', 'old pier', 'salt pans', 'mill creek']
const birds = ['dunlin', 'knot', 'curlew', 'redshank', 'avocet', 'oystercatcher', 'turnstone', 'teal', 'shelduck']
const remarks = [
  'Wind from the west, four, gusting.',
  'Fog until ten, then glass.',
  'Gate was open again, closed it.',
  'Battery at the old pier is at 61 %.',
  'Somebody left a glove. It is in the hut.',
  'Two seals on the sandbank.',
  'I can take Sunday.',
  'Moved the marker back to the third post.',
  'Photos are in the folder.',
  'Back before the water.'
]
const answers = [
  'Thank you!', 'Same here.', 'Seen, added.', 'I will look tomorrow.', 'Good.', 'That is twice last week’s.', 'On it 👍'
]

/** Lines that a talk has behind it; the same ones at each run. */
export function history (talk: Talk): string[] {
  const people = talk.with ?? talk.members?.filter(name => !isNewcomer(talk, name)) ?? []
  const length = talk.with !== undefined ? 6 : people.length * 4
  return Array.from({ length }, (_, at) => {
    const who = people[(at * 7 + at % 3) % people.length] ?? ''
    const bird = birds[(at * 5 + people.length) % birds.length] ?? ''
    const site = sites[(at * 3 + people.length) % sites.length] ?? ''
    if (at % 5 === 3) return `${who}<1: ${answers[at % answers.length] ?? ''}`
    if (at % 2 === 0) return `${who}: ${40 + (at * 37) % 400} ${bird} at ${site}.`
    return `${who}: ${remarks[(at * 3) % remarks.length] ?? ''}`
  })
}
