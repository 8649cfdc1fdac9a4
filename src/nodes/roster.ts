/** A user on a node. */
export interface RosterEntry {
  nodeId: string
  /** When the user came, in milliseconds since 1970. */
  lastActiveAt: number
}

/** A user has come to a node, or has left it. */
export interface PresenceWord extends RosterEntry {
  userId: string
  on: boolean
}

/**
 * Which users each node has, shared by all nodes. An entry counts as long as its node renews its lease: the users of a
 * node that died are gone when that ends. What the roster loses comes back when the link is up again.
 */
export interface Roster {
  /** This node has these users. */
  enter: (users: ReadonlyArray<readonly [userId: string, lastActiveAt: number]>) => Promise<void>
  leave: (userId: string) => void
  /** The nodes that have these users. Users of no node are left out; nobody is known if the roster does not answer. */
  nodesOf: (userIds: readonly string[]) => Promise<Map<string, RosterEntry[]>>
  /** Those of these nodes whose lease has ended. */
  endedOf: (nodeIds: readonly string[]) => Promise<string[]>
}
