/** Identities from the machine's randomness. */
import { v7 } from 'uuid';
import type { IdGenerator } from '../../ports/id-generator.ts';

export const createSystemIdGenerator = (): IdGenerator => ({ uuid: () => v7() });
