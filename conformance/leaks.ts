const secret = /"(password|passwordHash|hash|emailKey|tokensValidFrom|revokedSessions|readTrail|bodyHash)":/
const address = /"email":/

/** The name of something that nobody may see in an answer, as JSON; an e-mail address only in what is told of oneself. */
export function leakIn (json: string, ofOneself = false): string | undefined {
  return secret.exec(json)?.[1] ?? (!ofOneself && address.test(json) ? 'email' : undefined)
}
