import { statSync } from 'node:fs'
import { Registry, collectDefaultMetrics } from 'prom-client'
import { connectionCounts } from '../connection/engine-io.ts'
import { outboundCounts } from '../connection/outbound-buffer.ts'
import type { ChatServer } from '../connection/socket-types.ts'
import type { LiveDelivery } from '../live/live-delivery.ts'
import type { Watermarks } from '../live/watermarks.ts'
import type { ConversationLog } from '../log/conversation-log.ts'
import type { SyncContext } from '../sync/context.ts'
import type { Histogram } from '../lib/histogram.ts'
import { counter, gauge, histogram } from './instruments.ts'
import type { Traffic } from './traffic.ts'

/** The link to the other nodes. */
interface LinkState {
  readonly words: Readonly<Record<string, number>>
  readonly dropped: Readonly<Record<string, number>>
  readonly openings: number
  readonly lagSeconds: Histogram
  readonly isLinked: boolean
  readonly isUp: boolean
  readonly channels: { readonly size: number }
}

/** Where the metrics are read. */
export interface MetricsSources {
  traffic: Traffic
  log: ConversationLog
  io: ChatServer
  live: LiveDelivery
  watermarks: Watermarks
  nodes: LinkState
  sync: SyncContext
  blobs: { readonly isUp: boolean }
  /** Keeps the index of words; undefined: there is none. */
  follower: { readonly waiting: number } | undefined
  /** Sockets that were refused. */
  refusedSockets: { readonly count: number }
  limiters: Readonly<Record<string, { readonly refused: number }>>
  /** The file of the embedded engine. Undefined: the database is a MongoDB server. */
  databaseFile: string | undefined
}

/** Every metric of a server, as docs/OPERATIONS.md lists them. No label names a user or a conversation. */
export function openMetrics (sources: MetricsSources): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  addTraffic(registry, sources)
  addCommits(registry, sources.log)
  addLive(registry, sources)
  addLink(registry, sources.nodes)
  addSync(registry, sources.sync)
  gauge(registry, 'tidelog_files_up', '0 while the bucket of the files does not answer',
    () => Number(sources.blobs.isUp))
  gauge(registry, 'tidelog_search_waiting', 'Conversations whose messages are not all in the index of words',
    () => sources.follower?.waiting ?? 0)
  addDatabase(registry, sources.databaseFile)
  return registry
}

function addTraffic (to: Registry, { traffic, io, refusedSockets, limiters }: MetricsSources): void {
  counter(to, 'tidelog_messages_total', 'New messages, by the kind of their conversation',
    () => traffic.messages, 'conversation')
  counter(to, 'tidelog_changes_total', 'Other rows: edits, deletes, reactions, memberships, settings, purges',
    () => traffic.changes)
  counter(to, 'tidelog_reads_total', 'Read positions that moved and are shown to others', () => traffic.reads)
  gauge(to, 'tidelog_connections', 'Open Engine.IO connections, by transport', () => connectionCounts(io), 'transport')
  gauge(to, 'tidelog_sockets', 'Sockets of users', () => io.of('/').sockets.size)
  counter(to, 'tidelog_handshakes_total', 'Sockets that were admitted or refused',
    () => ({ admitted: traffic.sockets, refused: refusedSockets.count }), 'result')
  counter(to, 'tidelog_http_requests_total', 'Answers to REST requests, by the class of their status',
    () => traffic.requests, 'status')
  histogram(to, 'tidelog_http_request_duration_seconds', 'Time of a REST answer; syncs, which may wait, are left out',
    traffic.requestSeconds)
  counter(to, 'tidelog_rate_limited_total', 'Calls that a rate limit refused, by limiter',
    () => Object.fromEntries(Object.entries(limiters).map(([name, { refused }]) => [name, refused])), 'limiter')
}

function addCommits (to: Registry, log: ConversationLog): void {
  const { commitCounts: counts } = log
  counter(to, 'tidelog_commit_units_total', 'Commit units, by outcome', () => counts.units, 'outcome')
  counter(to, 'tidelog_commit_retries_total', 'Attempts to commit a batch that failed, by reason',
    () => counts.retries, 'reason')
  counter(to, 'tidelog_commit_unknown_outcomes_total', 'Commits whose reply was lost', () => counts.retries.unknown)
  histogram(to, 'tidelog_commit_batch_units', 'Commit units of a batch', counts.batchUnits)
  histogram(to, 'tidelog_commit_duration_seconds', 'Time from the start of a batch to its outcome, retries included',
    counts.seconds)
  gauge(to, 'tidelog_commit_queue_units', 'Commit units that wait for a transaction', () => log.commitLoad.waiting)
  gauge(to, 'tidelog_commit_transactions', 'Transactions that are running', () => log.commitLoad.running)
}

function addLive (to: Registry, { io, live, watermarks }: MetricsSources): void {
  const outbound = outboundCounts(io)
  counter(to, 'tidelog_deliveries_total', 'Live events that were written, once for each socket', () => live.deliveries)
  histogram(to, 'tidelog_delivery_lag_seconds', 'Time from hearing of a commit to writing its live event',
    live.lagSeconds)
  counter(to, 'tidelog_deliveries_dropped_total', 'Writes of live events dropped because the client was behind',
    () => outbound.dropped)
  counter(to, 'tidelog_resyncs_total', 'Clients that were behind and were told to sync', () => outbound.resyncs)
  counter(to, 'tidelog_gaps_total', 'Gaps in the revs of a conversation: held back, and how reading them ended',
    () => live.gaps, 'outcome')
  counter(to, 'tidelog_verifications_total', 'Comparisons of subscribers with members',
    () => watermarks.verificationCount)
  gauge(to, 'tidelog_pending_deliveries', 'Deliveries that wait for a gap or a verification',
    () => watermarks.pendingCount)
}

function addLink (to: Registry, nodes: LinkState): void {
  gauge(to, 'tidelog_link_configured', '1 if this node has a link to others', () => Number(nodes.isLinked))
  gauge(to, 'tidelog_link_up', '1 while that link works', () => Number(nodes.isUp))
  gauge(to, 'tidelog_link_channels', 'Channels that this node listens to', () => nodes.channels.size)
  counter(to, 'tidelog_link_openings_total', 'How often the link was opened', () => nodes.openings)
  counter(to, 'tidelog_link_words_total', 'Words sent to other nodes, once for each channel, and words heard from them',
    () => nodes.words, 'direction')
  counter(to, 'tidelog_link_words_dropped_total', 'Words that were not sent or not understood, by reason',
    () => nodes.dropped, 'reason')
  histogram(to, 'tidelog_link_lag_seconds', 'Time that a word takes through the link to this node itself',
    nodes.lagSeconds)
}

function addSync (to: Registry, { counts, longPolls }: SyncContext): void {
  counter(to, 'tidelog_sync_responses_total', 'Responses of the sync by cursor', () => counts.responses)
  counter(to, 'tidelog_sync_changes_total', 'Changes in them', () => counts.changes)
  counter(to, 'tidelog_sync_bytes_total', 'Bytes of these changes', () => counts.bytes)
  counter(to, 'tidelog_sync_resets_total', 'Conversations that a client had to begin, or begin again',
    () => counts.resets)
  gauge(to, 'tidelog_long_polls', 'Syncs that wait for a change', () => longPolls.size)
}

function addDatabase (to: Registry, file: string | undefined): void {
  const [embedded, mongodb] = file === undefined ? [0, 1] : [1, 0]
  gauge(to, 'tidelog_database_engine', '1 for the database that is in use', () => ({ embedded, mongodb }), 'engine')
  gauge(to, 'tidelog_database_file_bytes', 'Size of the embedded database; 0 with MongoDB',
    () => file === undefined ? 0 : sizeOf(file))
}

/** 0 if the file is gone: the engine notices that itself, and ends. */
function sizeOf (file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
