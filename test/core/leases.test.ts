/** Whatever the processes see and however late: the leases come to rest with the living, evenly, and stay there. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyLease,
  applyWorker,
  isFree,
  leaseStream,
  newLeaseTable,
  parseLeaseRecord,
  partitionOfStream,
  planLeases,
  type LeaseRecord,
  type LeaseTable,
  type WorkerRole,
} from '../../src/core/leases.ts';
import { partitionCount, partitionOf } from '../../src/core/partitions.ts';

const missedMax = 4;

interface Entry {
  readonly partition: number | undefined;
  readonly revision: number;
  readonly record: LeaseRecord;
}

/** One process: what it knows is the log up to `seen`. */
interface Process {
  readonly worker: string;
  readonly role: WorkerRole;
  readonly table: LeaseTable;
  seen: number;
  beat: number;
  isAlive: boolean;
}

class Log {
  readonly entries: Entry[] = [];
  readonly processes: Process[] = [];
  readonly #last = new Map<number, number>();

  join(role: WorkerRole = 'worker'): Process {
    const worker = `w${this.processes.length}`;
    const table = newLeaseTable({ worker, role, place: 'here/1' }, missedMax);
    const process = { worker, role, table, seen: 0, beat: 0, isAlive: true };
    this.processes.push(process);
    this.beat(process);
    return process;
  }

  beat(process: Process): void {
    process.beat += 1;
    const { worker, role, beat } = process;
    const data = { worker, role, place: 'here/1', beat };
    this.entries.push({ partition: undefined, revision: 0, record: { type: 'WorkerSeen', data } });
  }

  leave(process: Process): void {
    process.isAlive = false;
    const record = { type: 'WorkerLeft', data: { worker: process.worker } } as const;
    this.entries.push({ partition: undefined, revision: 0, record });
  }

  /** As the store does: at the exact revision, or not at all. */
  move(process: Process, partition: number, type: 'LeaseTaken' | 'LeaseReleased'): boolean {
    const last = this.#last.get(partition) ?? -1;
    if (process.table.leases[partition]!.revision !== last) return false;
    const record = { type, data: { worker: process.worker } } as const;
    this.#last.set(partition, last + 1);
    this.entries.push({ partition, revision: last + 1, record });
    return true;
  }

  hear(process: Process, count = Infinity): void {
    const end = Math.min(this.entries.length, process.seen + count);
    for (; process.seen < end; process.seen += 1) {
      const { partition, revision, record } = this.entries[process.seen]!;
      if (partition === undefined) applyWorker(process.table, record);
      else applyLease(process.table, partition, { record, revision });
    }
  }

  act(process: Process, wanted: ReadonlySet<number> = new Set()): number {
    const { take, give } = planLeases(process.table, { wanted, load: () => 0 });
    for (const partition of take) this.move(process, partition, 'LeaseTaken');
    for (const partition of give) this.move(process, partition, 'LeaseReleased');
    return take.length + give.length;
  }

  /** Everybody alive shows itself, hears everything and acts. @returns how much there was to do */
  round(): number {
    const alive = this.processes.filter(({ isAlive }) => isAlive);
    for (const process of alive) this.beat(process);
    let moves = 0;
    for (const process of alive) {
      this.hear(process);
      moves += this.act(process);
    }
    return moves;
  }

  owners(): (string | undefined)[] {
    const owners: (string | undefined)[] = Array.from({ length: partitionCount });
    for (const { partition, record } of this.entries) {
      if (partition === undefined) continue;
      owners[partition] = record.type === 'LeaseTaken' ? record.data.worker : undefined;
    }
    return owners;
  }

  shareOf(process: Process): number {
    return this.owners().filter((owner) => owner === process.worker).length;
  }
}

const settle = (log: Log, rounds = 12): void => {
  for (let round = 0; round < rounds; round += 1) log.round();
};

type Command =
  | { readonly do: 'join' | 'crash' | 'leave' | 'beat' | 'act'; readonly who: number }
  | { readonly do: 'hear'; readonly who: number; readonly upTo: number };

const who = fc.nat({ max: 9 });
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    do: fc.constantFrom('join' as const, 'crash' as const, 'leave' as const),
    who,
  }),
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('beat' as const, 'act' as const), who }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const), who, upTo: fc.nat(40) }) },
);

const perform = (log: Log, step: Command): void => {
  const alive = log.processes.filter(({ isAlive }) => isAlive);
  const process = alive[step.who % alive.length];
  if (step.do === 'join') {
    if (alive.length < 6) log.join();
  } else if (process === undefined) return;
  else if (step.do === 'crash') process.isAlive = false;
  else if (step.do === 'leave') log.leave(process);
  else if (step.do === 'beat') log.beat(process);
  else if (step.do === 'act') log.act(process);
  else if (step.do === 'hear') log.hear(process, step.upTo);
};

describe('processes that share partitions', () => {
  test('hold all of them evenly in the end, whatever came before, and then move nothing', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (steps) => {
        const log = new Log();
        log.join();
        for (const step of steps) perform(log, step);
        if (!log.processes.some(({ isAlive }) => isAlive)) log.join();
        settle(log);
        const alive = log.processes.filter(({ isAlive }) => isAlive);
        const shares = alive.map((process) => log.shareOf(process));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitionCount);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        expect(log.round()).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test('take nothing from one whose sign of life they have just seen', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), who, (steps, index) => {
        const log = new Log();
        log.join();
        for (const step of steps) perform(log, step);
        const alive = log.processes.filter(({ isAlive }) => isAlive);
        const observer = alive[index % Math.max(alive.length, 1)];
        if (observer === undefined) return;
        for (const process of alive) log.beat(process);
        log.hear(observer);
        const { take } = planLeases(observer.table, { wanted: new Set(), load: () => 0 });
        const living = new Set(alive.map(({ worker }) => worker));
        const owners = log.owners();
        for (const partition of take) expect(living.has(owners[partition]!)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('move no more than the share of the one who joins', () => {
    const log = new Log();
    for (let members = 1; members <= 5; members += 1) {
      const before = log.owners();
      const joined = log.join();
      settle(log);
      const moved = log.owners().filter((owner, partition) => owner !== before[partition]).length;
      expect(moved).toBeLessThanOrEqual(log.shareOf(joined) + members);
    }
  });
});

describe('one that is silent', () => {
  const silent = (): { log: Log; dead: Process; other: Process } => {
    const log = new Log();
    const [dead, other] = [log.join(), log.join()];
    settle(log);
    dead.isAlive = false;
    return { log, dead, other };
  };

  test('is replaced after as many beats of the observer as are allowed to be missed', () => {
    const { log, other } = silent();
    // The observer's own beat of the last round came after the last one of the dead.
    for (let missed = 2; missed <= missedMax; missed += 1) {
      expect(log.shareOf(other)).toBe(32);
      log.round();
    }
    expect(log.shareOf(other)).toBe(64);
  });

  test('is alive again when it is heard, whatever time has passed', () => {
    const { log, dead, other } = silent();
    for (let missed = 1; missed < missedMax; missed += 1) log.round();
    log.beat(dead);
    for (let missed = 1; missed < missedMax; missed += 1) log.round();
    expect(log.shareOf(other)).toBe(32);
  });

  test('finds all that was taken from it in the log, and takes none of it back', () => {
    const { log, dead, other } = silent();
    settle(log);
    log.hear(dead);
    expect(dead.table.leases.every(({ worker }) => worker === other.worker)).toBe(true);
    expect(planLeases(dead.table, { wanted: new Set(), load: () => 0 }).give).toEqual([]);
  });
});

describe('one that leaves', () => {
  test('is replaced at once', () => {
    const log = new Log();
    const [leaving, other] = [log.join(), log.join()];
    settle(log);
    log.leave(leaving);
    log.hear(other);
    log.act(other);
    expect(log.shareOf(other)).toBe(64);
  });

  test('gives those with the least work first', () => {
    const log = new Log();
    const first = log.join();
    settle(log);
    log.join();
    log.hear(first);
    const load = (partition: number): number => (partition < 40 ? 1 : 0);
    const { give } = planLeases(first.table, { wanted: new Set(), load });
    expect(give).toHaveLength(32);
    expect(give.slice(0, 24).every((partition) => partition >= 40)).toBe(true);
  });
});

describe('a guest', () => {
  test('takes what it works on, and gives it to the first worker', () => {
    const log = new Log();
    const guest = log.join('guest');
    log.hear(guest);
    log.act(guest, new Set([3, 7]));
    expect(log.shareOf(guest)).toBe(2);
    const worker = log.join();
    settle(log);
    expect(log.shareOf(guest)).toBe(0);
    expect(log.shareOf(worker)).toBe(64);
    log.act(guest, new Set([3, 7]));
    expect(log.shareOf(guest)).toBe(0);
  });
});

describe('a record', () => {
  test('that is known already, or older, changes nothing', () => {
    const table = newLeaseTable({ worker: 'me', role: 'worker', place: '' }, missedMax);
    const taken = (worker: string): LeaseRecord => ({ type: 'LeaseTaken', data: { worker } });
    expect(applyLease(table, 5, { record: taken('a'), revision: 4 })).toBe(true);
    expect(applyLease(table, 5, { record: taken('b'), revision: 4 })).toBe(false);
    expect(applyLease(table, 5, { record: taken('b'), revision: 3 })).toBe(false);
    expect(table.leases[5]).toEqual({ worker: 'a', revision: 4 });
  });

  test('of a later version moves the lease and names nobody', () => {
    const table = newLeaseTable({ worker: 'me', role: 'worker', place: '' }, missedMax);
    const record = parseLeaseRecord('LeaseTaken', '{"worker":"a","shard":1}');
    expect(record).toBeUndefined();
    applyLease(table, 5, { record, revision: 0 });
    expect(isFree(table, 5)).toBe(true);
  });

  test('that is no record is none', () => {
    for (const [type, data] of [
      ['RunStarted', '{}'],
      ['LeaseTaken', 'no JSON'],
      ['toString', '{}'],
    ] as const) {
      expect(parseLeaseRecord(type, data)).toBeUndefined();
    }
  });
});

describe('partitions', () => {
  test('have a stream each, which names them', () => {
    for (let partition = 0; partition < partitionCount; partition += 1) {
      expect(partitionOfStream(leaseStream(partition))).toBe(partition);
    }
    expect(partitionOfStream('lease-workers')).toBeUndefined();
  });

  test('hold families whole, and runs evenly', () => {
    expect(partitionOf('flow.a~3~1')).toBe(partitionOf('flow.a'));
    const counts = Array.from({ length: partitionCount }, () => 0);
    for (let n = 0; n < 6_400; n += 1) counts[partitionOf(`document-review.report-${n}`)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(60);
    expect(Math.max(...counts)).toBeLessThan(150);
  });
});
