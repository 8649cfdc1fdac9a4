import { counter } from '../plural.ts'

const count = counter('en')

export const files = {
  attach: 'Attach a file',
  photos: 'Photos and videos',
  camera: 'Camera',
  anyFile: 'File',
  chosen: 'Files to send',
  remove: (name: string) => `Remove ${name}`,
  original: 'Original files',
  withoutPlace: 'Sent without the place and camera',
  withPlace: 'Sent with the place and camera',
  tooMany: (max: number) => `A message can have at most ${max} files`,
  open: (name: string) => (name === '' ? 'Open the picture' : `Open ${name}`),
  download: (name: string) => (name === '' ? 'Download' : `Download ${name}`),
  uploading: 'Uploading',
  stop: 'Cancel',
  viewer: 'Picture',
  before: 'Previous picture',
  next: 'Next picture',
  smaller: 'Smaller',
  larger: 'Larger',
  of: (n: number, of: number) => `${n} of ${of}`,
  pictures: (n: number) => count(n, { one: 'Picture', other: '# pictures' }),
  videos: (n: number) => count(n, { one: 'Video', other: '# videos' }),
  sounds: (n: number) => count(n, { one: 'Audio', other: '# audio files' }),
  files: (n: number) => count(n, { one: 'File', other: '# files' })
}
