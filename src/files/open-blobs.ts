import type { Blobs } from './blobs.ts'
import { DiskBlobs } from './disk-blobs.ts'

/** The bytes of files, where they are: in a bucket if there is one, else in a folder. */
export async function openBlobs (bucketUrl: string, folder: string): Promise<Blobs> {
  if (bucketUrl === '') return new DiskBlobs(folder)
  // A server without a bucket does not load this.
  const { S3Blobs } = await import('./s3-blobs.ts')
  return new S3Blobs(bucketUrl)
}
