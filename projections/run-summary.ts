/**
 * What is kept of a run, and what is read off it: its status, whether it is busy, when it is due.
 *
 * It says the same as the run itself does after the same events: `quarantined` before an end, an end before a pause,
 * and `waiting` for a run that owes nothing but an answer to a signal.
 */
import type { RunStatus } from 'ecl';
import { z } from 'zod';

const Books = z.object({
  /** When the next attempt of an open step is due; null means that it runs, or is to run now. */
  steps: z.record(z.string(), z.number().nullable()),
  /** When an open timer is due. */
  timers: z.record(z.string(), z.number()),
  /** Child runs whose end it has not heard of. */
  children: z.array(z.string()),
  /** Signals to others that are not delivered yet. */
  signals: z.array(z.string()),
});

/** What an event took out of the books. */
export const Taken = Books.partial().extend({ paused: z.string().optional() });
export type Taken = z.infer<typeof Taken>;

const Counts = z.object({
  steps: z.number(),
  /** Executions that came to an end, whichever. */
  attempts: z.number(),
  children: z.number(),
  /** Signals that it received. */
  signals: z.number(),
  modelCalls: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  usd: z.number(),
  /** Model calls whose cost is not known, so `usd` is a lower bound. */
  unpriced: z.number(),
});
export type Counts = z.infer<typeof Counts>;

const StateValue = z.union([z.string(), z.record(z.string(), z.unknown())]);

export const Summary = z.object({
  tenant: z.string(),
  workflow: z.string(),
  version: z.string(),
  structure: z.string(),
  module: z.string().optional(),
  parent: z.string().optional(),
  depth: z.number(),
  startedAt: z.string(),
  updatedAt: z.string(),
  endedAt: z.string().optional(),
  revision: z.number(),
  /** The machine's state value; null before the first one and when it is too long for a journal. */
  state: StateValue.nullable(),
  /** Events from outside that the state handles. */
  accepts: z.array(z.string()),
  ending: z.enum(['completed', 'failed', 'cancelled']).optional(),
  /** Why it is paused. */
  paused: z.string().optional(),
  /** Why it is quarantined. */
  quarantined: z.string().optional(),
  /** Why it failed or was cancelled. */
  error: z.string().optional(),
  books: Books,
  /** What the last event took out of the books. */
  taken: Taken.optional(),
  /** What the fact takes out that is stored, but that the machine could not take. */
  pending: Taken.optional(),
  counts: Counts,
  /** The beginning of the input's texts and numbers, to search in. */
  input: z.string(),
  output: z.string(),
});
export type Summary = z.infer<typeof Summary>;

/** Before the first event. */
export const blank: Summary = {
  tenant: '',
  workflow: '',
  version: '',
  structure: '',
  depth: 0,
  startedAt: '',
  updatedAt: '',
  revision: -1,
  state: null,
  accepts: [],
  books: { steps: {}, timers: {}, children: [], signals: [] },
  counts: {
    steps: 0,
    attempts: 0,
    children: 0,
    signals: 0,
    modelCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    usd: 0,
    unpriced: 0,
  },
  input: '',
  output: '',
};

const hasAny = (entries: object): boolean => {
  for (const _ in entries) return true;
  return false;
};

/** Whether work is under way or due without anybody's doing; timers alone are not. */
export const isBusy = ({ books, ending, paused }: Summary): boolean =>
  books.signals.length > 0 ||
  books.children.length > 0 ||
  (ending === undefined && paused === undefined && hasAny(books.steps));

/** The status that its events alone give; whether it is blocked depends on who looks. */
export const statusOf = (run: Summary): RunStatus => {
  if (run.quarantined !== undefined) return 'quarantined';
  if (run.ending !== undefined) return run.ending;
  if (run.paused !== undefined) return 'paused';
  if (isBusy(run)) return 'running';
  return run.accepts.length > 0 || !hasAny(run.books.timers) ? 'waiting' : 'running';
};

/** When the next timer or retry is due; a run that is held has none. */
export const dueAtOf = ({ books, paused, quarantined }: Summary): number | undefined => {
  if (paused !== undefined || quarantined !== undefined) return undefined;
  let next = Infinity;
  for (const id in books.timers) next = Math.min(next, books.timers[id]!);
  for (const id in books.steps) next = Math.min(next, books.steps[id] ?? Infinity);
  return next === Infinity ? undefined : next;
};

/** Whether somebody must look after it: a quarantined run owes nothing until it is resumed. */
export const isOwing = (run: Summary): boolean =>
  run.quarantined === undefined && (isBusy(run) || dueAtOf(run) !== undefined);

/** What it waits for: nothing as long as it works by itself. */
export const waitingForOf = (run: Summary): readonly string[] =>
  run.ending !== undefined || isBusy(run) ? [] : run.accepts;

/** Why it is where it is. */
export const errorOf = ({ error, quarantined, paused }: Summary): string | undefined =>
  error ?? quarantined ?? paused;

const excerptMax = 120;

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
