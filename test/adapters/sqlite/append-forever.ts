/** A process that appends until it is killed, and prints each append once it was acknowledged. */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type { EventData } from '../../../src/ports/event-store.ts';

const [folder, seed] = process.argv.slice(2);
const store = await openSqliteEventStore({ folder: folder! });

const batch = (): EventData[] =>
  Array.from({ length: 3 }, () => ({
    id: randomUUID(),
    type: 'Noted',
    data: JSON.stringify({ text: 'x'.repeat(300) }),
    metadata: {},
  }));

const acknowledge = (stream: string, revision: number, events: readonly EventData[]): void => {
  writeSync(1, `ack ${stream} ${revision} ${events.map(({ id }) => id).join(',')}\n`);
};

/** Appends to a stream of its own, now and then together with a second stream. */
const writer = async (number: number): Promise<void> => {
  const stream = `a-${seed}-${number}`;
  for (let round = 0; ; round += 1) {
    const events = batch();
    const expectedRevision = round === 0 ? ('no-stream' as const) : round * 3 - 1;
    if (round % 4 !== 3) {
      const { revision } = await store.append({ stream, expectedRevision, events });
      acknowledge(stream, revision, events);
    } else {
      const beside = { stream: `${stream}-b${round}`, expectedRevision: 'no-stream' as const };
      const others = batch();
      const [one, other] = await store.appendAll([
        { stream, expectedRevision, events },
        { ...beside, events: others },
      ]);
      acknowledge(stream, one!.revision, events);
      acknowledge(beside.stream, other!.revision, others);
    }
  }
};

writeSync(1, 'ready\n');
await Promise.all(Array.from({ length: 8 }, (_, number) => writer(number)));
