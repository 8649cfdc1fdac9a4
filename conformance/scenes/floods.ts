import { Agent, type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { Person } from '../people.ts'

/** The results of an attack. */
export interface Attacked {
  connections: number
  /** Answers of 429, or RATE_LIMITED. */
  refusals: number
  /** Connections that the deployment ended. */
  ended: number
}

const againMs = 200
const floodBytes = 64 << 10
const oversizeBytes = 3 << 20
/** Packets in one body: a megabyte of the shortest ones. */
const packetsInBody = 131_000

/** A client's frame. A mask of zeros leaves the text as it is. */
function frame (text: string): Buffer {
  const body = Buffer.from(text)
  const head = Buffer.alloc(body.length < 126 ? 6 : body.length < 65_536 ? 8 : 14)
  head[0] = 0x81
  if (body.length < 126) head[1] = 0x80 | body.length
  else if (body.length < 65_536) {
    head[1] = 0xfe
    head.writeUInt16BE(body.length, 2)
  } else {
    head[1] = 0xff
    head.writeBigUInt64BE(BigInt(body.length), 2)
  }
  return Buffer.concat([head, body])
}

const junk = ['42["x"]', '42["markRead",{"conversationId":"common_chat","seq":0}]', '42["typing",{"conversationId":"common_chat","on":true}]', '431[]', '3']
const flood = Buffer.concat(Array.from({ length: floodBytes / 80 }, (_, index) => frame(junk[index % junk.length]!)))
const oversize = frame(`421["push",${JSON.stringify('x'.repeat(oversizeBytes))}]`)

/** Floods over websockets with events, junk and oversized packets, one connection after the other. */
export async function floodWebsockets (url: string, person: Person, ending: AbortSignal): Promise<Attacked> {
  const attacked: Attacked = { connections: 0, refusals: 0, ended: 0 }
  while (!ending.aborted) {
    await floodWebsocket(url, person, ending, attacked)
    await delay(againMs)
  }
  return attacked
}

async function floodWebsocket (url: string, { token }: Person, ending: AbortSignal, attacked: Attacked): Promise<void> {
  const { hostname, port, protocol, host } = new URL(url)
  const socket = protocol === 'https:' ? connectTls(Number(port || 443), hostname) : connect(Number(port || 80), hostname)
  await new Promise<void>(resolve => {
    const end = () => { socket.destroy() }
    ending.addEventListener('abort', end)
    socket.on('error', () => {}).once('close', () => {
      if (!ending.aborted) attacked.ended++
      ending.removeEventListener('abort', end)
      resolve()
    })
    const write = () => {
      while (!socket.destroyed && socket.write(flood)) { /* until it is full */ }
    }
    let isIn = false
    socket.on('data', chunk => {
      const text = chunk.toString('latin1')
      attacked.refusals += text.split('RATE_LIMITED').length - 1
      if (isIn || !text.includes('40{"sid"')) return
      isIn = true
      attacked.connections++
      socket.on('drain', write)
      socket.write(oversize)
      write()
    })
    socket.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${Buffer.from('a raw client key').toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`)
    socket.write(frame(`40${JSON.stringify({ token })}`))
  })
}

/** Floods by polling: a body of very many packets, then one of large payloads, without fetching the answers. */
export async function floodPolling (url: string, { token }: Person, ending: AbortSignal): Promise<Attacked> {
  const attacked: Attacked = { connections: 0, refusals: 0, ended: 0 }
  const path = `${url}/socket.io/?EIO=4&transport=polling`
  const bodies = [`42["setupUser",${JSON.stringify('x'.repeat(900_000))}]`, Array.from({ length: packetsInBody }, () => '42["x"]').join('\x1e'), 'x'.repeat(oversizeBytes)]
  while (!ending.aborted) {
    const opened = await ask('GET', path, ending)
    const sid = /"sid":"([^"]+)"/.exec(opened?.text ?? '')?.[1]
    if (sid !== undefined && (await ask('POST', `${path}&sid=${sid}`, ending, `40${JSON.stringify({ token })}`))?.status === 200) {
      attacked.connections++
      for (let body = 0; !ending.aborted; body++) {
        const answer = await ask('POST', `${path}&sid=${sid}`, ending, bodies[body < 20 ? 0 : body % bodies.length])
        if (answer?.status === 429) attacked.refusals++
        if (answer?.status === 200 || answer?.status === 413) continue
        if (!ending.aborted) attacked.ended++
        break
      }
    } else if (opened?.status === 429) attacked.refusals++
    await delay(againMs)
  }
  return attacked
}

/** Opens connections that never authenticate. */
export async function floodHandshakes (url: string, ending: AbortSignal): Promise<Attacked> {
  const attacked: Attacked = { connections: 0, refusals: 0, ended: 0 }
  const path = `${url}/socket.io/?EIO=4&transport=polling`
  await Promise.all(Array.from({ length: 10 }, async () => {
    while (!ending.aborted) {
      const answer = await ask('GET', path, ending)
      if (answer?.status === 200) attacked.connections++
      else if (answer?.status === 429) attacked.refusals++
      await delay(5)
    }
  }))
  return attacked
}

const agent = new Agent({ keepAlive: true })

/** @returns undefined: there was no answer */
async function ask (method: string, address: string, signal: AbortSignal, body?: string): Promise<{ status: number, text: string } | undefined> {
  return await new Promise(resolve => {
    const isTls = address.startsWith('https:')
    const answered = (response: IncomingMessage) => {
      let text = ''
      response.on('data', chunk => { text += String(chunk) }).on('end', () => { resolve({ status: response.statusCode ?? 0, text }) }).on('error', () => { resolve(undefined) })
    }
    const options = { method, signal, headers: body === undefined ? {} : { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) } }
    const sent = isTls ? requestTls(address, options, answered) : request(address, { ...options, agent }, answered)
    sent.on('error', () => { resolve(undefined) }).end(body)
  })
}
