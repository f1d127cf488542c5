import { createMemoryReadStore } from '../../../src/adapters/memory/read-store.ts';
import { readStoreContract } from '../../contracts/read-store-contract.ts';

readStoreContract({ name: 'memory', open: async () => createMemoryReadStore() });
