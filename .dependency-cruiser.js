/**
 * The house as a test: imports point down, there are no circles, types included. Each list is one floor plan, from the
 * top floor down; rooms on one floor do not import each other.
 */
const plans = [
  {
    root: '',
    floors: [
      ['server.ts'], ['app.ts'], ['routes', 'plugins'], ['src/metrics', 'src/tracing'],
      ['src/sockets'], ['src/presence', 'src/outbox'], ['src/live'], ['src/connection'],
      ['src/sync', 'src/search', 'src/adopt'],
      ['src/chat', 'src/auth'], ['src/doctor', 'src/users'], ['src/files'], ['src/log'], ['src/nodes'], ['src/to-tidelog-error.ts'], ['src/config.ts'],
      ['src/lib'], ['src/schemas'], ['src/errors.ts']
    ]
  },
  {
    root: 'src/chat/',
    floors: [['messages', 'rooms', 'conversations'], ['payload', 'access'], ['context.ts'], ['directories'], ['rules']]
  },
  {
    root: 'src/log/',
    floors: [
      ['follower.ts'], ['conversation-log.ts', 'delete-purged.ts', 'positions.ts'], ['commit'],
      ['read', 'database-identity.ts'], ['model']
    ]
  },
  {
    root: 'packages/embedded-mongo/src/',
    floors: [
      ['cli.ts'], ['index.ts'], ['host'], ['server'], ['commands'], ['engine', 'aggregate'], ['query'], ['store', 'update'],
      ['filter'], ['keys', 'wire'], ['bson'], ['values']
    ]
  },
  {
    root: 'web/src/',
    floors: [
      ['main.tsx'], ['app.tsx', 'keyboard.ts'], ['list'], ['conversation'], ['screens'], ['ui'], ['state'],
      ['router.ts', 'i18n']
    ]
  }
]

const under = (root, room) => `^${root}${room.replaceAll('.', '\\.')}${/\.tsx?$/.test(room) ? '$' : '/'}`

const directions = plans.flatMap(({ root, floors }) => floors.flatMap((floor, level) => floor.map(room => ({
  name: `${root}${room} imports down`,
  severity: 'error',
  from: { path: under(root, room) },
  to: { path: floors.slice(0, level + 1).flat().filter(other => other !== room).map(other => under(root, other)) }
})))).filter(({ to }) => to.path.length > 0)

export default {
  forbidden: [
    { name: 'no circle of files', severity: 'error', from: {}, to: { circular: true } },
    // The app's texts and its router stand above the folders that use them.
    {
      name: 'no circle of folders',
      severity: 'error',
      scope: 'folder',
      from: { pathNot: '^web/' },
      to: { circular: true }
    },
    ...directions
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: '(^|/)(node_modules|dist)/',
    enhancedResolveOptions: { extensions: ['.ts', '.js'], conditionNames: ['@tidelog/source', 'import', 'node'] }
  }
}
