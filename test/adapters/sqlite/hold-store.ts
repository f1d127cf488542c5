/** A process that opens a store, appends what it is told to, says so and holds the store until it is killed. */
import { writeSync } from 'node:fs';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';

const [folder, count] = process.argv.slice(2);
const store = await openSqliteEventStore({ folder: folder! });
for (let revision = 0; revision < Number(count); revision += 1) {
  const event = { id: `held-${revision}`, type: 'Noted', data: '{}', metadata: {} };
  await store.append({ stream: 'held', expectedRevision: 'any', events: [event] });
}
writeSync(1, `holding ${process.pid}\n`);
setInterval(() => {}, 1_000);
