import type { PendingFile, StoredOperation } from './state.ts'

/** The files that go with an operation. */
export function filesOf ({ work }: StoredOperation): readonly PendingFile[] {
  return work.type === 'send' ? work.files ?? [] : []
}

/** The server has all of its files. */
export function isUploaded (operation: StoredOperation): boolean {
  return filesOf(operation).every(({ isUploaded }) => isUploaded === true)
}

/** The file that is uploaded next: one after the other, in the order of their messages. */
export function nextUpload (
  operations: readonly StoredOperation[]
): { operation: StoredOperation, file: PendingFile } | undefined {
  const operation = operations.find(one => one.state !== 'failed' && !isUploaded(one))
  const file = operation === undefined ? undefined : filesOf(operation).find(({ isUploaded }) => isUploaded !== true)
  return operation === undefined || file === undefined ? undefined : { operation, file }
}

/** More is known of the upload of a file. */
export function withUpload (
  operation: StoredOperation, key: string, known: Pick<PendingFile, 'fileId' | 'isUploaded'>
): StoredOperation {
  const { work } = operation
  if (work.type !== 'send') return operation
  const files = filesOf(operation).map(file => file.key === key ? { ...file, ...known } : file)
  return { ...operation, version: operation.version + 1, work: { ...work, files } }
}
