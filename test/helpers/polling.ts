import { Agent, request } from 'node:http'

export interface Answered {
  status: number
  headers: Record<string, unknown>
  /** Parsed if it is JSON. */
  body: unknown
}

/** A polling Socket.IO client that sends and fetches only on request. */
export interface PollingSocket {
  post: (packets: string, contentType?: string) => Promise<Answered>
  /** Fetches waiting packets, unparsed. */
  poll: () => Promise<string>
}

/** Connects the user of `token`. Until that is answered the connection is nobody's. */
export async function connectPolling (url: string, token: string): Promise<PollingSocket> {
  const agent = new Agent()
  const path = '/socket.io/?EIO=4&transport=polling'
  const call = async (method: string, query = '', body?: string, contentType = 'text/plain'): Promise<Answered> => await new Promise((resolve, reject) => {
    const sent = request(url + path + query, { method, agent, headers: body === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) } }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => { text += String(chunk) }).on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) as unknown : text })
      })
    })
    sent.on('error', reject).end(body)
  })
  const opened = await call('GET')
  const { sid } = JSON.parse(String(opened.body).slice(1)) as { sid: string }
  const socket: PollingSocket = {
    post: async (packets, contentType) => await call('POST', `&sid=${sid}`, packets, contentType),
    poll: async () => String((await call('GET', `&sid=${sid}`)).body)
  }
  const connected = await socket.post(`40${JSON.stringify({ token })}`)
  if (connected.status !== 200) throw new Error(`CONNECT was answered ${connected.status}`)
  const answer = await socket.poll()
  if (!answer.startsWith('40')) throw new Error(`CONNECT was answered ${answer}`)
  return socket
}
