const secret = /"(password|passwordHash|hash|emailKey|tokensValidFrom|revokedSessions|readTrail|bodyHash)":/
const address = /"email":/

/** The name of a secret in an answer's JSON. An e-mail address is a secret, except in answers about the caller. */
export function leakIn (json: string, ofOneself = false): string | undefined {
  return secret.exec(json)?.[1] ?? (!ofOneself && address.test(json) ? 'email' : undefined)
}
