import { type Static, Type } from '@sinclair/typebox'
import { Attachment } from './message.ts'
import { Id, Input, Time } from './primitives.ts'

const { _id, name, type, size, width, height } = Attachment.properties

/** A file that is whole. */
export const File = Type.Object({ _id, name, type, size, width, height }, { description: 'A file' })
export type File = Static<typeof File>

export const FileParams = Type.Object({ id: Id })

export const FileBody = Type.Object({ success: Type.Literal(true), file: File })

/** The file's name, if the body is the file. */
export const UploadQuery = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 2_000, description: 'The name of the file, if the body is the file' }))
})

/** Names the file of a link and proves that it was given; without both, a token is needed. */
export const LinkQuery = Type.Object({
  e: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 1e12, description: 'With `s`: as in a link of `POST /api/files/links`' })
  ),
  s: Type.Optional(Type.String({ maxLength: 100 }))
})

export const LinksInput = Input({
  fileIds: Type.Array(Id, { minItems: 1, maxItems: 100, description: 'Files that you may read; others are left out' })
})

export const LinksBody = Type.Object({
  success: Type.Literal(true),
  links: Type.Record(Type.String(), Type.Object({
    url: Type.String(
      { description: 'A path on this server, with which anybody can read the content until the link ends' }
    ),
    expiresAt: Time
  }), { description: 'By the id of the file' })
})
