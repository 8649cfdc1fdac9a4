import { createHash, randomBytes } from 'node:crypto'
import { TidelogError } from '../errors.ts'
import type { AuthContext } from './context.ts'

/** Valid codes of one name at a time: nodes that start together, and restarts, print one each. */
const codesMax = 5

/**
 * Makes a code for each administrator's name that has no account yet. Only the return value holds the codes; the
 * database stores hashes.
 */
export async function issueAdminCodes ({
  admins, users, adminCodes
}: AuthContext): Promise<Array<{ username: string, code: string }>> {
  const issued: Array<{ username: string, code: string }> = []
  for (const username of admins.names) {
    const _id = username.toLowerCase()
    if (await users.findOne({ $or: [{ usernameKey: _id }, { username }] }, { projection: { _id: 1 } }) !== null) {
      continue
    }
    const code = randomBytes(15).toString('base64url')
    await adminCodes.updateOne(
      { _id }, { $push: { hashes: { $each: [hash(code)], $slice: -codesMax } } }, { upsert: true }
    )
    issued.push({ username, code })
  }
  return issued
}

/** @throws TidelogError NOT_ALLOWED for an administrator's name without its code */
export async function requireAdminCode (
  { admins, adminCodes }: AuthContext, username: string, code: string | undefined
): Promise<void> {
  if (!admins.reserves(username)) return
  const found =
    code === undefined ? null : await adminCodes.findOne({ _id: username.toLowerCase(), hashes: hash(code) })
  if (found === null) {
    throw new TidelogError(
      'NOT_ALLOWED', "This user name is an administrator's: adminCode must be the code that the server printed for it"
    )
  }
}

/** Ends the codes of a name, because its account now exists. */
export async function spendAdminCodes ({ admins, adminCodes }: AuthContext, username: string): Promise<void> {
  if (admins.reserves(username)) await adminCodes.deleteOne({ _id: username.toLowerCase() })
}

function hash (code: string): string {
  return createHash('sha256').update(code).digest('hex')
}
