/** docs/kurrentdb-compatibility.md, made of a conformance run. */
import { accepted, refusedGroups } from './accepted.ts';
import type { Scenario } from './compare.ts';

interface Call {
  readonly name: string;
  readonly what: string;
  /** Groups of scenarios that are about it. */
  readonly groups: readonly string[];
}

const calls: readonly Call[] = [
  {
    name: '`Streams/BatchAppend`',
    what: 'appends, many on one call; several frames of one append; deadlines; retries are recognised by their ids',
    groups: ['batch-append', 'idempotency'],
  },
  {
    name: '`Streams/Append`',
    what: 'one append a call, with every expected revision',
    groups: ['unary-append'],
  },
  {
    name: '`Streams/Read` of a stream',
    what: 'both ways from anywhere, with links resolved; says where the stream begins and ends',
    groups: ['read'],
  },
  {
    name: '`Streams/Read` of `$all`',
    what: 'both ways, with filters by prefix or regular expression on streams and types',
    groups: ['all'],
  },
  {
    name: 'subscriptions to a stream',
    what: 'from a revision, the start or the end; caught up; tombstones end them',
    groups: ['subscribe-stream'],
  },
  {
    name: 'subscriptions to `$all`',
    what: 'from a position, filtered, with checkpoints; resumable from any of them',
    groups: ['subscribe-all'],
  },
  {
    name: '`Streams/Delete`, `Streams/Tombstone`',
    what: 'deletion, revival with revisions going on, tombstones for good',
    groups: ['delete'],
  },
  {
    name: 'metadata (`$$stream`)',
    what: '`$maxCount`, `$maxAge` and `$tb` hide events; other fields are kept',
    groups: ['metadata'],
  },
  {
    name: '`StreamsService/AppendSession`',
    what: 'several streams, all or none (`multiStreamAppend`)',
    groups: ['append-session'],
  },
  {
    name: '`StreamsService/AppendRecords`',
    what: 'records of several streams with checks on any stream',
    groups: ['append-records'],
  },
  { name: 'sizes and names', what: 'limits of messages, records and names', groups: ['limits'] },
  {
    name: 'the official client',
    what: '`@kurrent/kurrentdb-client` on every state of a stream, with the errors its users see',
    groups: ['client'],
  },
  {
    name: '`ServerFeatures`, `Gossip`, `/health/live`, `/info`, `/gossip`',
    what: 'a cluster of one, which leads; discovery through gossip',
    groups: ['server'],
  },
];

const introduction = `# Compatibility with KurrentDB

<!-- Made by \`npm run compatibility\`; do not edit. -->

\`ecl gateway\` offers the embedded store in KurrentDB's own gRPC protocol. What was recorded on a real KurrentDB 26.0.3 is replayed
against it in the test suite, with the official client and with raw calls, and the answers are compared: results, errors, their codes and
trailers, the order of frames. This page is made of such a run.

It is not a KurrentDB: one process, one machine, loopback only, no TLS, no users.
`;

const own = `## What is different by design

- **Journals stay append-only.** A write to a run's journal (\`run-…\`) is taken only where it continues the hash chain at its
  revision; anything else is refused as access denied, and so is a deletion, a tombstone, or metadata that would hide events.
- **Positions** count events. They grow, and are not byte offsets.
- **Nothing is scavenged.** What is deleted or truncated is hidden from reads of its stream and stays in \`$all\`.
- **Data that is not JSON** is kept to the byte; in ECL's own view it is a JSON text, in base64 where it is no text.
  Metadata that is a JSON object comes back as JSON with the same values, perhaps with its names in another order.
- **Metadata that ECL itself sets** on streams of its own, such as snapshots, is not shown in \`$$\` streams; its effect is.
- **Retries with \`any\`** are recognised among the newest appends of a stream, also after a restart.
- **One append** has at most 64 MiB; the real server takes 256 MiB.
- **Regular expressions** of filters are those of JavaScript.
`;

const refused = `## What is not served

Persistent subscriptions, projections, users, operations and monitoring answer UNIMPLEMENTED at once and are not listed among the
features, so that clients say so instead of waiting. TLS and credentials are not offered; credentials in a connection string without
TLS are not sent by the clients in the first place.
`;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A table as the formatter leaves it. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((cells) => cells[column]!.length)),
  );
  const padded = (cells: readonly string[]): string =>
    row(cells.map((cell, column) => cell.padEnd(widths[column]!)));
  return [padded(head), row(widths.map((width) => '-'.repeat(width))), ...rows.map(padded)].join(
    '\n',
  );
};

export const compatibilityPage = (scenarios: readonly Scenario[]): string => {
  const rows = calls.map(({ name, what, groups }) => {
    const own = scenarios.filter(({ group }) => groups.includes(group));
    const equal = own.filter(({ differences }) => differences.length === 0);
    return [name, what, `${equal.length} of ${own.length}`];
  });
  const served = scenarios.filter(({ group }) => !refusedGroups.has(group));
  const equal = served.filter(({ differences }) => differences.length === 0);
  const list = accepted.map(({ scenario, reason }) => `- \`${scenario}\`: ${reason}`);
  return [
    introduction,
    `## Call by call\n\n${equal.length} of ${served.length} scenarios get the same answers.\n`,
    `${table(['call', 'what it does', 'equal scenarios'], rows)}\n`,
    `## Accepted differences\n\n${list.join('\n')}\n`,
    own,
    refused,
  ].join('\n');
};
