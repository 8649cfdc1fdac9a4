/** In this order: most browsers also call themselves by the names of those below them. */
const browsers = [
  [/\bEdg/, 'Edge'], [/\bOPR\//, 'Opera'], [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'], [/Chrome\/|\bCriOS\//, 'Chrome'], [/\bSafari\//, 'Safari']
] as const
const systems = [
  [/\bAndroid\b/, 'Android'], [/\biPhone\b/, 'iPhone'], [/\biPad\b/, 'iPad'], [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'], [/\bCrOS\b/, 'ChromeOS'], [/\bLinux\b/, 'Linux']
] as const

/** What a User-Agent says in words that people know: `Firefox, Windows`. Other programs are called what they say. */
export function programOf (userAgent: string): string | undefined {
  if (!userAgent.startsWith('Mozilla/')) return userAgent === '' ? undefined : userAgent
  const [browser, system] = [browsers, systems].map(known => known.find(([pattern]) => pattern.test(userAgent))?.[1])
  return browser === undefined ? userAgent : [browser, system].filter(part => part !== undefined).join(', ')
}
