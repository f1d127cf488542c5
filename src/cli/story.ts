/**
 * What happened in a run, one thing a line, in the order in which it began: when, what, how long, how it ended, and which
 * event led to it. Pure text.
 */
import { parentRunId } from '../core/ids.ts';
import type { TimelineEntry, TimelineKind } from '../ports/status-queries.ts';
import { bytes, cost, duration, instant, tokens } from './format.ts';
import { oneLine } from './sanitize.ts';
import { resultOf, timeOf, waitResult, type TreeOptions } from './step-tree.ts';
import { table } from './table.ts';
import { styled, type Style } from './terminal.ts';
import type { Timelines } from './timelines.ts';

/** An entry with the run that it is of. */
export type StoryEntry = TimelineEntry & { readonly run: string };

/** Entries of all runs, in the order in which they began; those of one instant stay in the order of their run. */
export const storyOf = (timelines: Timelines): StoryEntry[] =>
  [...timelines]
    .flatMap(([run, entries]) => entries.map((entry) => ({ run, ...entry })))
    .toSorted((one, other) =>
      one.startedAt === other.startedAt ? 0 : one.startedAt < other.startedAt ? -1 : 1,
    );

const styles: Partial<Record<TimelineKind, Style>> = {
  run: 'bold',
  step: 'cyan',
  wait: 'yellow',
  signal: 'yellow',
  paused: 'yellow',
  quarantined: 'red',
};

const nameOf = (entry: TimelineEntry): string => {
  const { kind, name, round, attempt, to, from } = entry;
  const parts = [oneLine(name, 60)];
  if (kind === 'attempt' && attempt !== undefined) parts.push(`attempt ${attempt}`);
  if (kind === 'step' && round !== undefined) parts.push(`round ${round}`);
  if (to !== undefined) parts.push(`to ${to}`);
  if (from !== undefined) parts.push(`from ${from}`);
  return parts.filter((part) => part !== '').join(', ');
};

const endOf = (entry: TimelineEntry, entries: readonly TimelineEntry[]): string => {
  const { kind, usage, events, dueAt, bytes: size } = entry;
  if (kind === 'wait') return waitResult(entry, entries);
  if (kind === 'state')
    return events === undefined ? '' : `takes ${oneLine(events.join(', '), 60)}`;
  if (kind === 'model-call' && usage !== undefined) return `${tokens(usage)}, ${cost(usage)}`;
  if (kind === 'artifact' && size !== undefined) return bytes(size);
  const due = dueAt === undefined ? '' : `due ${instant(dueAt)} UTC`;
  return [resultOf(entry), due].filter((part) => part !== '').join(', ');
};

/** What takes no time says none. */
const isPoint = ({ kind }: TimelineEntry): boolean =>
  ['verdict', 'artifact', 'value', 'signal', 'emitted', 'cancel-requested', 'resumed'].includes(
    kind,
  );

/** A single attempt that went well says nothing that its step does not. */
const isTold = (entry: StoryEntry, all: readonly StoryEntry[]): boolean =>
  entry.kind !== 'attempt' ||
  all.filter(
    ({ kind, run, invocation }) =>
      kind === 'attempt' && run === entry.run && invocation === entry.invocation,
  ).length > 1;

/** `#4`, with the run where it is not the one that is told of: `~1#4`. */
const placeOf = (run: string, revision: number): string => {
  const below = parentRunId(run) === undefined ? '' : run.slice(run.indexOf('~'));
  return `${below}#${revision}`;
};

/** Short names of the processes that took part, in the order of their coming; none when it was one. */
const processesOf = (story: readonly StoryEntry[]): Map<string, string> => {
  const writers = new Set(story.map(({ writer }) => writer));
  if (writers.size < 2) return new Map();
  return new Map(Array.from(writers, (writer, n) => [writer, `P${n + 1}`]));
};

/** The story as lines of a table, and below it who took part, when there were several. */
export const storyLines = (timelines: Timelines, { width, now }: TreeOptions): string[] => {
  const all = storyOf(timelines);
  const story = all.filter((entry) => isTold(entry, all));
  const [first] = story;
  if (first === undefined) return [];
  const beganAt = Date.parse(first.startedAt);
  const processes = processesOf(story);
  const rows = story.map((entry) => {
    const { run, revision, kind, startedAt, causedBy, writer } = entry;
    const style = styles[kind];
    return [
      placeOf(run, revision),
      `+${duration(Date.parse(startedAt) - beganAt)}`,
      style === undefined ? kind : styled(style, kind),
      nameOf(entry),
      isPoint(entry) ? '' : timeOf(entry, now),
      endOf(entry, timelines.get(run) ?? []),
      causedBy === undefined ? '' : `#${causedBy}`,
      ...(processes.size === 0 ? [] : [processes.get(writer) ?? '']),
    ];
  });
  const header = ['EVENT', 'AT', 'WHAT', 'NAME', 'TIME', 'RESULT', 'CAUSE'];
  return [
    ...table(processes.size === 0 ? header : [...header, 'BY'], rows, width),
    ...Array.from(processes, ([writer, name]) => styled('dim', `${name} is the process ${writer}`)),
  ];
};
