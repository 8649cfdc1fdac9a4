import { existsSync } from 'node:fs'

/** Debian's Chromium; CHROMIUM names another one. Notifications need this one. */
export const wholeBrowser = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/**
 * The same without windows, which takes three quarters of the processor time. (The script of its name in /usr/bin would
 * live on when it is killed, and the browser with it.)
 */
const headless = '/usr/lib/chromium/chromium-headless-shell'

/** The one for all other tests. */
export const executablePath = process.env['CHROMIUM'] === undefined && existsSync(headless) ? headless : wholeBrowser

/** The reason for which tests in a browser are not run here; undefined: they are. */
export const noBrowser = missing(executablePath)
export const noWholeBrowser = missing(wholeBrowser)

export const launchArgs = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'
]

function missing (path: string): string | undefined {
  return existsSync(path) ? undefined : `${path} is not installed`
}
