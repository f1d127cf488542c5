/** Exit codes, in one place: of errors by their kind, and of a run by how it rests. */
import { isEclError, type ErrorKind } from '../core/errors.ts';
import type { RunDocument } from '../runtime/run-document.ts';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unavailable: 5,
  waiting: 6,
  interrupted: 130,
  terminated: 143,
} as const;

const ofKind: Readonly<Record<ErrorKind, number>> = {
  usage: exitCodes.usage,
  'not-found': exitCodes.notFound,
  conflict: exitCodes.conflict,
  unavailable: exitCodes.unavailable,
  failed: exitCodes.failed,
};

export const exitCodeOfError = (error: unknown): number =>
  isEclError(error) ? ofKind[error.kind] : exitCodes.failed;

const ofStatus: Readonly<Record<RunDocument['status'], number>> = {
  completed: exitCodes.done,
  failed: exitCodes.failed,
  cancelled: exitCodes.failed,
  quarantined: exitCodes.failed,
  blocked: exitCodes.conflict,
  // Credentials, spending or another limit: somebody must act, then `ecl resume`.
  paused: exitCodes.unavailable,
  waiting: exitCodes.waiting,
  // It rests because all below it wait.
  running: exitCodes.waiting,
};

/** Of a command that stayed until the run rested. */
export const exitCodeOfRun = ({ status }: Pick<RunDocument, 'status'>): number => ofStatus[status];
