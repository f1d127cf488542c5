/** Secrets from the machine's randomness. */
import { randomBytes } from 'node:crypto';

/** 256 bit, as text that fits a header and a file. */
export const createSecret = (): string => `ecl_${randomBytes(32).toString('base64url')}`;
