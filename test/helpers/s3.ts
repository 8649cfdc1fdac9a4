import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { SignatureV4 } from '@smithy/signature-v4'

const credentials = { accessKeyId: 'key', secretAccessKey: 'a secret/with+signs' }
const region = 'eu-test-1'
/** Objects of one page of a list. */
const pageSize = 3

/** A bucket at a service with the part of S3's API that files need. */
export interface TestBucket {
  /** For S3_URL. */
  url: string
  /** By key. */
  objects: Map<string, Buffer>
  /** Requests for which it is true are answered 503. */
  refuses: (method: string, key: string) => boolean
  /** Somebody has deleted it. */
  isGone: boolean
  /** Nothing is answered any more. */
  hangs: boolean
  /** How many of the next reads are cut off in their middle. */
  cuts: number
}

/**
 * A service for one bucket. It answers only what is signed as AWS' own library would sign it, and lists in small pages.
 */
export async function startBucket (t: { teardown: (end: () => unknown) => void }): Promise<TestBucket> {
  const bucket: TestBucket = { url: '', objects: new Map(), refuses: () => false, isGone: false, hangs: false, cuts: 0 }
  const server = createServer((request, response) => {
    answer(bucket, request, response).catch((error: unknown) => { response.destroy(error as Error) })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const secret = encodeURIComponent(credentials.secretAccessKey)
  const { port } = server.address() as AddressInfo
  bucket.url = `http://${credentials.accessKeyId}:${secret}@127.0.0.1:${port}/bucket?region=${region}`
  return bucket
}

async function answer (bucket: TestBucket, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', headers } = request
  const url = new URL(request.url!, `http://${headers.host!}`)
  const body = await buffer(request)
  const key = decodeURIComponent(url.pathname.slice('/bucket/'.length))
  const fail = (status: number, code: string) => {
    response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`)
  }
  if (headers.authorization !== await signatureOf(request, url)) return fail(403, 'SignatureDoesNotMatch')
  if (bucket.hangs) return
  if (bucket.isGone) return fail(404, 'NoSuchBucket')
  if (bucket.refuses(method, key)) return fail(503, 'SlowDown')
  if (method === 'GET' && key === '') {
    response.writeHead(200, { 'content-type': 'application/xml' }).end(listOf(bucket, url.searchParams))
    return
  }
  const object = bucket.objects.get(key)
  switch (method) {
    case 'PUT':
      bucket.objects.set(key, body)
      response.writeHead(200, { etag: '"x"' }).end()
      return
    case 'DELETE':
      bucket.objects.delete(key)
      response.writeHead(204).end()
      return
    case 'GET': {
      if (object === undefined) return fail(404, 'NoSuchKey')
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
      const part = from === undefined ? object : object.subarray(Number(from), Number(to) + 1)
      response.writeHead(from === undefined ? 200 : 206, { 'content-length': part.length })
      if (bucket.cuts-- <= 0) response.end(part)
      else response.write(part.subarray(0, part.length / 2), () => { response.destroy() })
      return
    }
    default: fail(405, 'MethodNotAllowed')
  }
}

function listOf ({ objects }: TestBucket, query: URLSearchParams): string {
  const after = query.get('continuation-token') ?? ''
  const keys = [...objects.keys()].sort().filter(key => key.startsWith(query.get('prefix') ?? '') && key > after)
  const page = keys.slice(0, pageSize)
  const more = keys.length > pageSize ? `<NextContinuationToken>${page.at(-1)!}</NextContinuationToken>` : ''
  const contents = page.map(key => `<Contents><Key>${key}</Key><Size>${objects.get(key)!.length}</Size></Contents>`)
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${keys.length > pageSize}</IsTruncated>${more}` +
    `${contents.join('')}</ListBucketResult>`
}

/** How the request must be signed. */
async function signatureOf ({ method, headers }: IncomingMessage, url: URL): Promise<string> {
  const [, names = ''] = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? []
  const [, ...date] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? []
  const [year, month, day, hour, minute, second] = date.map(Number)
  const signer = new SignatureV4({
    credentials, region, service: 's3', sha256: Sha256, uriEscapePath: false, applyChecksum: false
  })
  const signed = await signer.sign({
    method: method!,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: Object.fromEntries(names.split(';').map(name => [name, String(headers[name])]))
  }, { signingDate: new Date(Date.UTC(year!, month! - 1, day, hour, minute, second)) })
  return signed.headers['authorization']!
}

class Sha256 {
  private hash: Hash | Hmac

  constructor (secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer)
  }

  update (data: Uint8Array): void {
    this.hash.update(data)
  }

  async digest (): Promise<Uint8Array> {
    return this.hash.digest()
  }

  reset (): void {}
}
