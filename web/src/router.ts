import { computed, signal } from '@preact/signals'

/** Where the app is served, ending in `/`; the page's <base> says it. */
export const base = new URL(document.baseURI).pathname

const features = ['link', 'image', 'video', 'audio', 'file'] as const

/** Which messages are searched; what is absent does not matter. */
export interface Filters {
  /** In this conversation. */
  within?: string | undefined
  /** By this user. */
  from?: string | undefined
  has?: (typeof features)[number] | undefined
  /** The first and the last day, as `2026-12-31`. */
  after?: string | undefined
  before?: string | undefined
}

export type Route =
  | { page: 'home' | 'new' | 'rooms' | 'settings' | 'signIn' | 'signUp' }
  | { page: 'search'; q: string; filters: Filters }
  | { page: 'conversation'; id: string; seq: number | undefined; panel: 'members' | undefined }

const address = signal(location.pathname + location.search)
/** Counts how often the page that is shown was asked for again: a link to a message leads there each time. */
export const visits = signal(0)
/** How many steps back in the browser's history are this app's own. */
let depth = 0

export const route = computed<Route>(() => parse(address.value))
/** The conversation that stays visible behind a dialog. */
export const lastConversation = signal<string | undefined>(undefined)

export const paths = {
  home: () => '/',
  new: () => '/new',
  rooms: () => '/rooms',
  settings: () => '/settings',
  signIn: () => '/sign-in',
  signUp: () => '/sign-up',
  search: (q = '', { within, ...filters }: Filters = {}) => `/search${query({ q, in: within, ...filters })}`,
  conversation: (id: string, o: { seq?: number | undefined; panel?: 'members' | undefined } = {}) =>
    `/c/${encodeURIComponent(id)}${query({ m: o.seq, p: o.panel })}`
}

/** The whole address of a path of this app, for links. */
export const href = (path: string): string => base + path.slice(1)

/** The path in this app of a whole address, if it leads to a conversation. */
export function conversationPath (address: string): string | undefined {
  const { origin, pathname, search } = new URL(address)
  if (origin !== location.origin || !pathname.startsWith(`${base}c/`)) return undefined
  return pathname.slice(base.length) + search
}

/** Shows another page; `replace` takes the present one's place in the history. */
export function go (path: string, { replace = false } = {}): void {
  const next = href(path)
  if (next === address.value) {
    visits.value++
    return
  }
  if (replace) history.replaceState({ depth }, '', next)
  else history.pushState({ depth: ++depth }, '', next)
  show()
}

/** Back to where the reader came from in the app; to `otherwise` if the app was opened here. */
export function back (otherwise: string = paths.home()): void {
  if (depth > 0) history.back()
  else go(otherwise, { replace: true })
}

/** Follows links and the browser's own buttons; call once. */
export function startRouter (): void {
  depth = (history.state as { depth?: number } | null)?.depth ?? 0
  addEventListener('popstate', ({ state }: PopStateEvent) => {
    depth = (state as { depth?: number } | null)?.depth ?? 0
    show()
  })
  document.addEventListener('click', event => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.ctrlKey ||
      event.metaKey ||
      event.shiftKey ||
      event.altKey
    ) { return }
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || link.target !== '' || link.hasAttribute('download')) return
    if (link.origin !== location.origin || !link.pathname.startsWith(base)) return
    event.preventDefault()
    go(`/${(link.pathname + link.search).slice(base.length)}`)
  })
  show()
}

function show (): void {
  address.value = location.pathname + location.search
  const now = route.value
  if (now.page === 'conversation') lastConversation.value = now.id
  else if (now.page === 'home') lastConversation.value = undefined
}

function parse (path: string): Route {
  const url = new URL(path, location.origin)
  const [page = '', id = ''] = url.pathname.slice(base.length).split('/')
  switch (page) {
    case 'c': {
      const seq = Number(url.searchParams.get('m'))
      return {
        page: 'conversation',
        id: decode(id),
        seq: seq > 0 ? seq : undefined,
        panel: url.searchParams.get('p') === 'members' ? 'members' : undefined
      }
    }
    case 'search':
      return { page: 'search', q: url.searchParams.get('q') ?? '', filters: filtersOf(url.searchParams) }
    case 'new':
    case 'rooms':
    case 'settings':
      return { page }
    case 'sign-in':
      return { page: 'signIn' }
    case 'sign-up':
      return { page: 'signUp' }
    default:
      return { page: 'home' }
  }
}

function decode (part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function query (values: Record<string, string | number | undefined>): string {
  const entries = Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => [key, String(value)])
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`
}

function filtersOf (given: URLSearchParams): Filters {
  const day = (name: string) => /^\d{4}-\d\d-\d\d$/.exec(given.get(name) ?? '')?.[0]
  const all = {
    within: given.get('in') ?? undefined,
    from: /^[0-9a-f]{24}$/.exec(given.get('from') ?? '')?.[0],
    has: features.find(feature => feature === given.get('has')),
    after: day('after'),
    before: day('before')
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
