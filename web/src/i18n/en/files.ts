import { counter } from '../plural.ts'

const count = counter('en')

export const files = {
  attach: 'Attach a file',
  photos: 'Photos and videos',
  camera: 'Camera',
  anyFile: 'File',
  chosen: 'Files to send',
  remove: (name: string) => `Do not send ${name}`,
  original: 'Original files',
  withoutPlace: 'Sent without where they were taken',
  withPlace: 'Sent with where and by what they were taken',
  tooMany: (max: number) => `A message carries ${max} files at most`,
  open: (name: string) => (name === '' ? 'Open the picture' : `Open ${name}`),
  download: (name: string) => (name === '' ? 'Download' : `Download ${name}`),
  uploading: 'Uploading',
  stop: 'Do not send',
  viewer: 'Picture',
  before: 'Picture before',
  next: 'Next picture',
  smaller: 'Smaller',
  larger: 'Larger',
  of: (n: number, of: number) => `${n} of ${of}`,
  pictures: (n: number) => count(n, { one: 'Picture', other: '# pictures' }),
  videos: (n: number) => count(n, { one: 'Video', other: '# videos' }),
  sounds: (n: number) => count(n, { one: 'Audio', other: '# audio files' }),
  files: (n: number) => count(n, { one: 'File', other: '# files' })
}
