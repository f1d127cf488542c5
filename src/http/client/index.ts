/** The client of `ecl serve`: what is not here is not public. */
export {
  createEclClient,
  type EclClient,
  type RemoteEventQuery,
  type RemoteListQuery,
  type RemoteSpawnOptions,
} from './client.ts';
export type { StreamItem } from './event-source.ts';
export type {
  RemoteObserver,
  RemoteResumeOptions,
  RemoteRun,
  RemoteSnapshot,
} from './remote-run.ts';
export type { TransportOptions as EclClientOptions } from './transport.ts';
export { EclError, isEclError, type ErrorCode } from '../../core/errors.ts';
export type { Event, ModelText } from '../contract/event.ts';
export type { Run, RunPage, RunSummary } from '../contract/run.ts';
