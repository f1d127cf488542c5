/** A process that projects until it is killed: it commits as often as it can, and says when it has caught up. */
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import * as own from '../../../projections/index.ts';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadStore } from '../../../src/adapters/sqlite/read-store.ts';
import { createSystemClock } from '../../../src/adapters/system/clock.ts';
import { Projector } from '../../../src/runtime/projector.ts';

const complain = (...what: unknown[]): void => {
  writeSync(2, `${JSON.stringify(what)}\n`);
};

const [folder] = process.argv.slice(2);
const store = await openSqliteEventStore({ folder: folder!, access: 'read', pollIntervalMs: 1 });
const reads = await openSqliteReadStore({ folder: folder! });
const logger = { error: complain, warn: complain } as unknown as Logger;
const projections = Object.values(own);
const projector = new Projector({ store, reads, projections, clock: createSystemClock(), logger });
projector.start();
await projector.caughtUp();
writeSync(1, 'caught up\n');
for (;;) {
  await projector.caughtUp();
  await delay(1);
}
