import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { root } from './process.ts'
import { request } from './request.ts'
import { tied } from './tied.ts'

const program = '/usr/sbin/nginx'

/** The reason for which tests with nginx are skipped; false: it is installed. */
export const noNginx = existsSync(program) ? false : `${program} is not installed`

const main = `
worker_processes 1;
user root;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  include default.conf;
}
`

/**
 * Runs nginx with the configuration of `deploy/nginx.conf` in front of two servers on this machine.
 * @returns its address
 */
export async function startNginx (
  t: { teardown: (end: () => unknown) => void }, folder: string, urls: readonly [string, string]
): Promise<string> {
  const port = await freePort()
  const deployed = readFileSync(join(root, 'deploy', 'nginx.conf'), 'utf8')
    .replaceAll('app1:5000', new URL(urls[0]).host).replaceAll('app2:5000', new URL(urls[1]).host)
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'default.conf'), deployed)
  writeFileSync(join(folder, 'nginx.conf'), main)
  const given = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr', '-g', 'daemon off;']
  const child: ChildProcess = spawn(...tied('SIGTERM', program, given), { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const url = `http://127.0.0.1:${port}`
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`)
    const answer = await request(`${url}/health/live`, { method: 'GET' }).catch(() => undefined)
    if (answer?.status === 200) return url
    await new Promise(resolve => { setTimeout(resolve, 20) })
  }
}
