import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { eventStoreContract } from '../../contracts/event-store-contract.ts';

const root = mkdtempSync(join(tmpdir(), 'ecl-contract-'));
let opened = 0;

eventStoreContract({
  name: 'sqlite',
  open: () => {
    opened += 1;
    return openSqliteEventStore({ folder: join(root, `${opened}`) });
  },
});

afterAll(() => rmSync(root, { recursive: true, force: true }));
