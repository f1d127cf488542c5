/**
 * What is kept of a run, and what is read off it: its status, whether it is busy, when it is due.
 *
 * It says the same as the run itself does after the same events: `quarantined` before an end, an end before a pause,
 * and `waiting` for a run that owes nothing but an answer to a signal.
 */
import type { RunStatus } from 'ecl';
import { z } from 'zod';
import { Books, noBooks, Taken } from './run-books.ts';

/** What never changes after the start. */
const Identity = z.object({
  tenant: z.string(),
  workflow: z.string(),
  version: z.string(),
  structure: z.string(),
  module: z.string().optional(),
  parent: z.string().optional(),
  depth: z.number(),
  startedAt: z.string(),
  /** The beginning of the input's texts and numbers, to search in. */
  input: z.string(),
});

const End = z.object({
  status: z.enum(['completed', 'failed', 'cancelled']),
  at: z.string(),
  error: z.string().optional(),
  /** The beginning of the output's texts and numbers. */
  output: z.string().optional(),
});

const Counts = z.object({
  steps: z.number(),
  /** Executions that came to an end, whichever. */
  attempts: z.number(),
  children: z.number(),
  /** Signals that it received. */
  signals: z.number(),
});
export type Counts = z.infer<typeof Counts>;

const Usage = z.object({
  modelCalls: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  usd: z.number(),
  /** Model calls whose cost is not known, so `usd` is a lower bound. */
  unpriced: z.number(),
});

const StateValue = z.union([z.string(), z.record(z.string(), z.unknown())]);

export const Summary = z.object({
  identity: Identity,
  updatedAt: z.string(),
  revision: z.number(),
  /** The machine's state value; null before the first one and when it is too long for a journal. */
  state: StateValue.nullable(),
  /** When the machine came into it. */
  stateSince: z.string(),
  tags: z.array(z.string()),
  /** Events from outside that the state handles. */
  accepts: z.array(z.string()),
  /** Why it is paused. */
  paused: z.string().optional(),
  /** Why it is quarantined. */
  quarantined: z.string().optional(),
  end: End.optional(),
  books: Books,
  /** What the last event took out of the books. */
  taken: Taken.optional(),
  /** What the facts take out that are stored, but that the machine has not taken yet. */
  pending: Taken.optional(),
  counts: Counts,
  usage: Usage,
});
export type Summary = z.infer<typeof Summary>;

/** Before the first event. All fields stand here, so that all summaries have one shape, which is what makes them fast. */
export const blank: Summary = {
  identity: {
    tenant: '',
    workflow: '',
    version: '',
    structure: '',
    depth: 0,
    startedAt: '',
    input: '',
  },
  updatedAt: '',
  revision: -1,
  state: null,
  stateSince: '',
  tags: [],
  accepts: [],
  paused: undefined,
  quarantined: undefined,
  end: undefined,
  books: noBooks,
  taken: undefined,
  pending: undefined,
  counts: { steps: 0, attempts: 0, children: 0, signals: 0 },
  usage: { modelCalls: 0, inputTokens: 0, outputTokens: 0, usd: 0, unpriced: 0 },
};

const hasAny = (entries: object): boolean => {
  for (const _ in entries) return true;
  return false;
};

/** Whether work is under way or due without anybody's doing; timers alone are not. */
export const isBusy = ({ books, end, paused }: Summary): boolean =>
  books.signals.length > 0 ||
  books.children.length > 0 ||
  books.leaving.length > 0 ||
  (end === undefined && paused === undefined && hasAny(books.steps));

/** The status that its events alone give; whether it is blocked depends on who looks. */
export const statusOf = (run: Summary): RunStatus => {
  if (run.quarantined !== undefined) return 'quarantined';
  if (run.end !== undefined) return run.end.status;
  if (run.paused !== undefined) return 'paused';
  if (isBusy(run)) return 'running';
  if (run.accepts.length > 0) return 'waiting';
  return hasAny(run.books.timers) || hasAny(run.books.relays) ? 'running' : 'waiting';
};

/** When the next timer or retry is due; a run that is held has none. */
export const dueAtOf = ({ books, paused, quarantined }: Summary): number | undefined => {
  if (paused !== undefined || quarantined !== undefined) return undefined;
  let next = Infinity;
  for (const id in books.timers) next = Math.min(next, books.timers[id]!);
  for (const id in books.relays) next = Math.min(next, books.relays[id]!);
  for (const id in books.steps) next = Math.min(next, books.steps[id] ?? Infinity);
  return next === Infinity ? undefined : next;
};

/** Whether somebody must look after it: a quarantined run owes nothing until it is resumed. */
export const isOwing = (run: Summary): boolean =>
  run.quarantined === undefined && (isBusy(run) || dueAtOf(run) !== undefined);

/** What it waits for: nothing as long as it works by itself or takes nothing. */
export const waitingForOf = (run: Summary): readonly string[] =>
  run.end !== undefined || run.quarantined !== undefined || isBusy(run) ? [] : run.accepts;

/** Since when it waits for an event from outside, in milliseconds since 1970; undefined when it does not. */
export const waitingSinceOf = (run: Summary): number | undefined =>
  run.accepts.length > 0 && statusOf(run) === 'waiting' ? Date.parse(run.stateSince) : undefined;

/** Why it is where it is. */
export const errorOf = ({ end, quarantined, paused }: Summary): string | undefined =>
  end?.error ?? quarantined ?? paused;

const excerptMax = 400;

/** The first texts and numbers in a value, as far as they fit. */
export const excerptOf = (value: unknown): string => {
  let excerpt = '';
  const add = (each: unknown): void => {
    if (excerpt.length >= excerptMax) return;
    if (typeof each === 'string' || typeof each === 'number') {
      excerpt += `${excerpt === '' ? '' : ' '}${each}`;
    } else if (typeof each === 'object' && each !== null) {
      for (const inner of Object.values(each)) add(inner);
    }
  };
  add(value);
  return excerpt.slice(0, excerptMax);
};
