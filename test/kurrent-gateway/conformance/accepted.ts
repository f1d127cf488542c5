/** The differences from a real server that are accepted: what differs, where, and why. */

export interface Accepted {
  readonly scenario: string;
  /** What of its answers differs; every difference matches. */
  readonly paths: RegExp;
  readonly reason: string;
}

const zeroEvents =
  'An append without events writes nothing here, so it answers with the position of the newest event; the real server writes an empty record and gives its position.';

const kinderWords =
  'The same refusal with words that say what is wrong; the real server shows the text of an internal exception.';

export const accepted: readonly Accepted[] = [
  {
    scenario: 'batch-append/zero-events',
    paths: /^\.result\.responses\.0\.success\.position\./,
    reason: zeroEvents,
  },
  {
    scenario: 'unary-append/zero-events',
    paths: /^\.result\.success\.position\./,
    reason: zeroEvents,
  },
  {
    scenario: 'all/what-is-in-the-log',
    paths: /^\.result\.responses\.0\.success\.position\./,
    reason: zeroEvents,
  },
  {
    scenario: 'batch-append/malformed-options',
    paths: /^\.result\.responses\.0\.error\.details\.message$/,
    reason: kinderWords,
  },
  {
    scenario: 'batch-append/malformed-events',
    paths: /^\.result\.responses\.0\.error\.details\.message$/,
    reason: kinderWords,
  },
  { scenario: 'all/the-ends', paths: /^\.error\.message$/, reason: kinderWords },
  { scenario: 'all/filters', paths: /^\.error\.message$/, reason: kinderWords },
  { scenario: 'subscribe-all/malformed', paths: /^\.error\.message$/, reason: kinderWords },
  {
    scenario: 'append-session/one-conflict-refuses-all',
    paths: /^\.error\.(?:message|details\.1\.stream)$/,
    reason:
      'Where one stream is in conflict and another one tombstoned, the one that is tombstoned is named; the real server names the wrong one.',
  },
  {
    scenario: 'append-records/interleaved-streams',
    paths: /^\.result\.frames\./,
    reason:
      'Records of one append that interleave streams stand together by stream in `$all`, as the embedded store keeps the events of one decision in one row. Revisions and the position in the answer are the same.',
  },
  {
    scenario: 'limits/sixteen-mebibytes',
    paths: /^\.(?:result|error)/,
    reason:
      'A record just below 16 MiB is stored; the real server fails with UNKNOWN there. What is larger is refused alike, in other words.',
  },
  {
    scenario: 'server/features',
    paths: /^\.result\./,
    reason: 'Methods that are not served are not listed.',
  },
  {
    scenario: 'server/health-info-and-gossip-over-http',
    paths: /^\.result\.member\./,
    reason:
      'Gossip over HTTP leaves out log positions, epochs and ports that the gateway does not have.',
  },
  {
    scenario: 'server/unknown-methods',
    paths: /^\.error\.message$/,
    reason:
      'UNIMPLEMENTED as on the real server, in the words of the gRPC library, which name the method.',
  },
];

/** Groups of which nothing is served: every call is refused as UNIMPLEMENTED, at once. */
export const refusedGroups: ReadonlySet<string> = new Set(['persistent']);

/** Groups that are about the server itself, not about streams. */
export const serverGroups: ReadonlySet<string> = new Set(['server']);
