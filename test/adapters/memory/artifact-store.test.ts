import { createMemoryArtifactStore } from '../../../src/adapters/memory/artifact-store.ts';
import { artifactStoreContract } from '../../contracts/artifact-store-contract.ts';

artifactStoreContract({ name: 'memory', create: async () => createMemoryArtifactStore() });
