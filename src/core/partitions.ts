/**
 * Partitions: which part of all runs a run belongs to, where several processes share them.
 *
 * 1. A run and all its descendants are in one partition, so a family has one owner and moves as a whole.
 * 2. The number of partitions is part of the format of a store: all processes must agree on it.
 */
import { rootRunId } from './ids.ts';

export const partitionCount = 64;

/** FNV-1a, 32 bits: it spreads keys well and costs less than reading them. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // The low bits of FNV are its weak ones.
  return (hash ^ (hash >>> 15)) >>> 0;
};

/** @returns 0 to `partitionCount` - 1 */
export const partitionOf = (run: string): number => hashOf(rootRunId(run)) % partitionCount;
