import { openKurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import { eventStoreContract } from '../../contracts/event-store-contract.ts';
import { sharedServer } from '../../kurrentdb/server.ts';

const server = sharedServer();

eventStoreContract({
  name: 'kurrentdb',
  open: async () => openKurrentDbEventStore({ connectionString: await server() }),
});
