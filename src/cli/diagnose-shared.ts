/** What `ecl doctor` says of a store that several processes share: its features, how far the rows are, who owns what. */
import { newLeaseTable, type LeaseTable } from '../core/leases.ts';
import type { StoreDescription } from '../ports/event-store.ts';
import { readLeases } from '../runtime/ownership/lease-log.ts';
import { count } from './format.ts';
import type { Opened } from './open.ts';

export interface SharedDiagnosis {
  /** How far each read model of this machine is behind, in positions, which have gaps. */
  readonly lag: readonly { readonly name: string; readonly behind: string }[];
  readonly owners: readonly {
    readonly worker: string;
    /** Host and process id. */
    readonly place: string;
    readonly partitions: number;
  }[];
  /** Partitions that nobody owns: a process that works takes them. */
  readonly unowned: number;
}

const tableOf = async ({ ecl }: Opened): Promise<LeaseTable> => {
  const { store, writer, limits } = ecl.system.services;
  const me = { worker: writer, role: 'guest', place: '' } as const;
  const table = newLeaseTable(me, limits.leaseMissedBeatsMax);
  await readLeases(store, table);
  return table;
};

/** Whether another process holds the store, or owns a part of it where several use it. */
export const isWorkedOn = async (opened: Opened): Promise<boolean> => {
  if (opened.ecl.system.services.store.features.shared) {
    const { leases } = await tableOf(opened);
    return leases.some(({ worker }) => worker !== undefined);
  }
  const { holder } = (await opened.ecl.describeStore()).details;
  return holder !== undefined && holder !== process.pid;
};

/** Undefined for a store of one process. */
export const diagnoseShared = async (opened: Opened): Promise<SharedDiagnosis | undefined> => {
  const { ecl } = opened;
  if (!ecl.system.services.store.features.shared) return undefined;
  await ecl.readModels.caughtUp();
  const lag = await ecl.readModels.lag();
  const { leases, members } = await tableOf(opened);
  const owned = new Map<string, number>();
  for (const { worker } of leases) {
    if (worker !== undefined) owned.set(worker, (owned.get(worker) ?? 0) + 1);
  }
  return {
    lag: lag.map(({ name, behind }) => ({ name, behind: String(behind) })),
    owners: Array.from(owned, ([worker, partitions]) => ({
      worker,
      place: members.get(worker)?.place ?? '',
      partitions,
    })),
    unowned: leases.filter(({ worker }) => worker === undefined).length,
  };
};

const missingFeatures: Readonly<Record<string, string>> = {
  appendRecords:
    'AppendRecords (from 26.0): the server refuses no append of an owner that was replaced; the run’s own revision does',
  appendSession:
    'AppendSession (from 25.1): an append over several streams is made stream by stream, and gone on with after a crash',
};

/** Lines of a KurrentDB: label and text. */
export const sharedLines = (
  { details }: StoreDescription,
  shared: SharedDiagnosis | undefined,
): [string, string][] => {
  const names = Object.keys(missingFeatures);
  const used = names.filter((name) => details[name] === 'yes');
  const missing = names.filter((name) => details[name] === 'no');
  const lag = shared?.lag.filter(({ behind }) => behind !== '0') ?? [];
  const owners = shared?.owners.map(({ place, worker, partitions }) => {
    const text = `${count(partitions)} ${partitions === 1 ? 'partition' : 'partitions'}`;
    return `${place === '' ? worker : place}: ${text}`;
  });
  return [
    ['version', `${String(details['version'])}, TLS: ${String(details['encrypted'])}`],
    ['features', used.length === 0 ? 'none beyond the first protocol' : used.join(', ')],
    ...missing.map((name): [string, string] => ['missing', missingFeatures[name]!]),
    ['answers', `within ${String(details['readyMs'])} ms`],
    [
      'lag',
      lag.length === 0
        ? 'the read models are up to date'
        : lag.map(({ name, behind }) => `${name} ${behind} positions behind`).join(', '),
    ],
    ['owners', owners === undefined || owners.length === 0 ? 'nobody works' : owners.join('; ')],
  ];
};
