import { startDatabaseProxy } from '../../test/helpers/tcp-proxy.ts'

/** A proxy in front of a database, which is late in both directions and counts the commands that pass. */
export interface CountingProxy {
  url: string
  /** Milliseconds by which everything is late, each way, from now on. */
  delay: (ms: number) => void
  /** Commands since the last call, by name and collection. */
  take: () => Map<string, number>
}

/** What a driver does by itself, on no caller's way. */
const ofTheDriver = new Set(['hello', 'ismaster', 'isMaster', 'ping', 'endSessions', 'buildInfo'])

export async function startCountingProxy (
  bench: { teardown: (end: () => unknown) => void }, uri: string
): Promise<CountingProxy> {
  let counts = new Map<string, number>()
  const count = (name: string, collection: string) => {
    if (ofTheDriver.has(name)) return
    const command = name + collection
    counts.set(command, (counts.get(command) ?? 0) + 1)
  }
  const proxy = await startDatabaseProxy(bench, uri, () => {
    const seen = commandReader(count)
    return {
      up: (chunk, write) => {
        seen(chunk)
        write(chunk)
      }
    }
  })
  return {
    ...proxy,
    take: () => {
      const taken = counts
      counts = new Map()
      return taken
    }
  }
}

const opMsg = 2013
/** In an OP_MSG: header 16, flags 4, kind of section 1, length of the document 4, type of its first element 1. */
const nameAt = 26
const typeOfString = 2

/** Finds the messages in a stream, and the command of each: the first element of its document. */
function commandReader (count: (name: string, collection: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  return chunk => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= nameAt && rest.length >= rest.readInt32LE(0)) {
      const message = rest.subarray(0, rest.readInt32LE(0))
      rest = rest.subarray(message.length)
      if (message.readInt32LE(12) !== opMsg) continue
      const nameEnd = message.indexOf(0, nameAt)
      const valueAt = nameEnd + 5
      const isNamed = message[nameAt - 1] === typeOfString
      count(
        message.toString('latin1', nameAt, nameEnd),
        isNamed ? ` ${message.toString('latin1', valueAt, message.indexOf(0, valueAt))}` : ''
      )
    }
  }
}
