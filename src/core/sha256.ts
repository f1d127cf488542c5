/** SHA-256, the only digest of ECL. It is pure, so core may use it; `crypto.hash` costs half of `createHash`. */
import { hash } from 'node:crypto';

/** @returns 64 lower-case hex digits */
export const sha256 = (data: string | Uint8Array): string => hash('sha256', data, 'hex');
