/**
 * Leases: who carries out what the runs of each partition owe, read off the records of all processes.
 *
 * 1. A lease is a stream that moves only when its owner changes, so its last revision is the fencing token: an append
 *    that checks it is refused once somebody else has taken the lease.
 * 2. No clock is compared with another. A worker counts as gone when the observer sees its own sign of life
 *    `missedBeatsMax` times in the log since the last one of that worker: a store that was away, a stalled
 *    subscription and a skewed clock make nobody look dead.
 * 3. Everybody who has seen the same records draws the same shares; who is behind loses the race for a revision, and
 *    nothing else.
 */
import { z } from 'zod';
import { partitionCount } from './partitions.ts';

/** `worker` takes its share of all partitions; `guest` takes what it works on, as long as there is no worker. */
export const WorkerRole = z.enum(['worker', 'guest']);
export type WorkerRole = z.infer<typeof WorkerRole>;

export const leaseRecordSchemas = {
  LeaseTaken: z.strictObject({ worker: z.string() }),
  LeaseReleased: z.strictObject({ worker: z.string() }),
  /** A sign of life. `place` is for people: host and process id. */
  WorkerSeen: z.strictObject({
    worker: z.string(),
    role: WorkerRole,
    place: z.string(),
    /** Counts the signs of one worker. */
    beat: z.number().int(),
  }),
  WorkerLeft: z.strictObject({ worker: z.string() }),
} as const;

export type LeaseRecordType = keyof typeof leaseRecordSchemas;
export type LeaseRecord = {
  [Type in LeaseRecordType]: {
    readonly type: Type;
    readonly data: z.infer<(typeof leaseRecordSchemas)[Type]>;
  };
}[LeaseRecordType];

/** What all streams of leases begin with. */
export const leasePrefix = 'lease-';
/** Signs of life of all workers. */
export const workersStream = `${leasePrefix}workers`;
/** Events that a stream of a lease keeps, and the stream of signs of life. */
export const leaseEventsMax = 8;
export const workersEventsMax = 256;

const streams = Array.from(
  { length: partitionCount },
  (_, partition) => `${leasePrefix}${String(partition).padStart(2, '0')}`,
);

export const leaseStream = (partition: number): string => streams[partition]!;

/** The partition whose lease a stream is, or undefined. */
export const partitionOfStream = (stream: string): number | undefined => {
  const partition = streams.indexOf(stream);
  return partition === -1 ? undefined : partition;
};

/** @returns undefined for what is no record of a lease, or one of a later version */
export const parseLeaseRecord = (type: string, data: string): LeaseRecord | undefined => {
  if (!Object.hasOwn(leaseRecordSchemas, type)) return undefined;
  try {
    const parsed = leaseRecordSchemas[type as LeaseRecordType].safeParse(JSON.parse(data));
    return parsed.success ? ({ type, data: parsed.data } as LeaseRecord) : undefined;
  } catch {
    return undefined;
  }
};

export interface Lease {
  /** Undefined when nobody holds it. */
  worker: string | undefined;
  /** Last revision of its stream; -1 before the first record. */
  revision: number;
}

export interface Member {
  /** Undefined when it is known as the owner of a lease only. */
  role: WorkerRole | undefined;
  place: string;
  /** How often the observer has seen its own sign of life since this member's last one. */
  missed: number;
}

/** What one process knows of all of them. It is changed in place. */
export interface LeaseTable {
  readonly me: string;
  readonly missedBeatsMax: number;
  readonly leases: readonly Lease[];
  readonly members: Map<string, Member>;
}

export const newLeaseTable = (
  me: { readonly worker: string; readonly role: WorkerRole; readonly place: string },
  missedBeatsMax: number,
): LeaseTable => ({
  me: me.worker,
  missedBeatsMax,
  leases: streams.map(() => ({ worker: undefined, revision: -1 })),
  members: new Map([[me.worker, { role: me.role, place: me.place, missed: 0 }]]),
});

/** Takes a record of a lease's stream; one that is known already changes nothing. @returns whether it was news */
export const applyLease = (
  table: LeaseTable,
  partition: number,
  { record, revision }: { readonly record: LeaseRecord | undefined; readonly revision: number },
): boolean => {
  const lease = table.leases[partition]!;
  if (revision <= lease.revision) return false;
  lease.revision = revision;
  lease.worker = record?.type === 'LeaseTaken' ? record.data.worker : undefined;
  if (lease.worker !== undefined && !table.members.has(lease.worker)) {
    table.members.set(lease.worker, { role: undefined, place: '', missed: 0 });
  }
  return true;
};

/** Takes a record of the workers' stream, in the order of the stream. */
export const applyWorker = (table: LeaseTable, record: LeaseRecord): void => {
  const { worker } = record.data;
  if (record.type === 'WorkerLeft') {
    if (worker === table.me) return;
    table.members.delete(worker);
    for (const lease of table.leases) if (lease.worker === worker) lease.worker = undefined;
  }
  if (record.type !== 'WorkerSeen') return;
  const { role, place } = record.data;
  table.members.set(worker, { role, place, missed: 0 });
  if (worker !== table.me) return;
  for (const [id, member] of table.members) if (id !== table.me) member.missed += 1;
  forgetLongGone(table);
};

const forgottenAfter = 1_000;

const forgetLongGone = ({ members, leases }: LeaseTable): void => {
  for (const [id, { missed }] of members) {
    if (missed < forgottenAfter || leases.some(({ worker }) => worker === id)) continue;
    members.delete(id);
  }
};

export const isAlive = ({ members, missedBeatsMax }: LeaseTable, worker: string): boolean =>
  (members.get(worker)?.missed ?? Infinity) < missedBeatsMax;

/** Whether a partition waits for an owner. */
export const isFree = (table: LeaseTable, partition: number): boolean => {
  const { worker } = table.leases[partition]!;
  return worker === undefined || !isAlive(table, worker);
};

export interface LeasePlan {
  /** To be taken, by an append at the lease's revision. */
  readonly take: readonly number[];
  /** To be handed over, those with the least work first. */
  readonly give: readonly number[];
}

export interface LeaseWishes {
  /** Partitions that a guest works on. */
  readonly wanted: ReadonlySet<number>;
  /** How much work is under way in a partition, to give the idle ones first. */
  readonly load: (partition: number) => number;
}

const rank = (workers: readonly string[], me: string): number => workers.toSorted().indexOf(me);

/** What this process does about the leases now. It changes nothing. */
export const planLeases = (table: LeaseTable, { wanted, load }: LeaseWishes): LeasePlan => {
  const partitions = table.leases.map((_, partition) => partition);
  const mine = partitions.filter((partition) => table.leases[partition]!.worker === table.me);
  const free = partitions.filter((partition) => isFree(table, partition));
  const workers = [...table.members]
    .filter(([id, { role }]) => role === 'worker' && isAlive(table, id))
    .map(([id]) => id);
  if (table.members.get(table.me)?.role !== 'worker') {
    if (workers.length > 0) return { take: [], give: mine };
    return { take: free.filter((partition) => wanted.has(partition)), give: [] };
  }
  const place = rank(workers, table.me);
  const { length } = table.leases;
  const share = Math.floor(length / workers.length) + (place < length % workers.length ? 1 : 0);
  if (mine.length > share) {
    const idleFirst = mine.toSorted((left, right) => load(left) - load(right));
    return { take: [], give: idleFirst.slice(0, mine.length - share) };
  }
  // Each begins elsewhere, so that few race for the same one.
  const start = Math.floor((place * length) / workers.length);
  const mineFirst = free.toSorted(
    (left, right) => ((left - start + length) % length) - ((right - start + length) % length),
  );
  return { take: mineFirst.slice(0, share - mine.length), give: [] };
};
