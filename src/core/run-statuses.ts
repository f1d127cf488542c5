/** What a run can be, in the order in which people are told of them. */
export const runStatuses = [
  'running',
  'waiting',
  'paused',
  'blocked',
  'quarantined',
  'completed',
  'failed',
  'cancelled',
] as const;

export type RunStatus = (typeof runStatuses)[number];
