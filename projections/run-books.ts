/**
 * What stands open around a run: steps, timers, children, signals. As the run itself keeps it, but by id and due time
 * only.
 *
 * Whatever is taken out can be put back and taken out again: the machine may not have taken the fact behind it.
 */
import { z } from 'zod';

export const Books = z.object({
  /** When the next attempt of an open step is due; null means that it runs, or is to run now. */
  steps: z.record(z.string(), z.number().nullable()),
  /** When an open timer of its own is due. */
  timers: z.record(z.string(), z.number()),
  /** When an open timer is due whose event goes to another run. */
  relays: z.record(z.string(), z.number()),
  /** Child runs that it waits for. */
  children: z.array(z.string()),
  /** Child runs that it has cancelled, and whose end it has not heard of. */
  leaving: z.array(z.string()),
  /** Signals to others that are not delivered yet. */
  signals: z.array(z.string()),
});
export type Books = z.infer<typeof Books>;

/** What an event took out of the books. */
export const Taken = Books.partial().extend({ paused: z.string().optional() });
export type Taken = z.infer<typeof Taken>;

export const noBooks: Books = {
  steps: {},
  timers: {},
  relays: {},
  children: [],
  leaving: [],
  signals: [],
};

const without = <Value>(
  entries: Readonly<Record<string, Value>>,
  id: string,
): Record<string, Value> => {
  const { [id]: _, ...others } = entries;
  return others;
};

/** A quarantined run may be told of one end twice; it stands in the books once. */
const union = (one: readonly string[] = [], other: readonly string[] = []): string[] => [
  ...new Set([...one, ...other]),
];

/** The books after something was taken out of them, and what it was. */
export interface Moved {
  readonly books: Books;
  readonly taken: Taken | undefined;
}

/** Takes a step or a timer out, if it is there. */
export const takeFrom = (books: Books, name: 'steps' | 'timers' | 'relays', id: string): Moved => {
  const open: Readonly<Record<string, number | null>> = books[name];
  if (!Object.hasOwn(open, id)) return { books, taken: undefined };
  return {
    books: { ...books, [name]: without(open, id) },
    taken: { [name]: { [id]: open[id] } },
  };
};

/** Takes a child or a signal out, if it is there. */
export const takeOut = (
  books: Books,
  name: 'children' | 'leaving' | 'signals',
  id: string,
): Moved => {
  if (!books[name].includes(id)) return { books, taken: undefined };
  return {
    books: { ...books, [name]: books[name].filter((each) => each !== id) },
    taken: { [name]: [id] },
  };
};

/** What both took out. */
export const together = (one: Taken | undefined, other: Taken | undefined): Taken | undefined => {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    steps: { ...one.steps, ...other.steps },
    timers: { ...one.timers, ...other.timers },
    relays: { ...one.relays, ...other.relays },
    children: union(one.children, other.children),
    leaving: union(one.leaving, other.leaving),
    signals: union(one.signals, other.signals),
  };
};

/** Undoes what took something out. */
export const putBack = (books: Books, taken: Taken): Books => ({
  steps: { ...books.steps, ...taken.steps },
  timers: { ...books.timers, ...taken.timers },
  relays: { ...books.relays, ...taken.relays },
  children: union(books.children, taken.children),
  leaving: union(books.leaving, taken.leaving),
  signals: union(books.signals, taken.signals),
});

/** Takes out what facts take out that were kept until now. */
export const takeAll = (books: Books, taken: Taken): Books => {
  let left = books;
  for (const id of Object.keys(taken.steps ?? {})) left = takeFrom(left, 'steps', id).books;
  for (const id of Object.keys(taken.timers ?? {})) left = takeFrom(left, 'timers', id).books;
  for (const id of taken.children ?? []) {
    left = takeOut(takeOut(left, 'children', id).books, 'leaving', id).books;
  }
  return left;
};
