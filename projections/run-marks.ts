/**
 * What a timeline keeps of an event: a mark, with the texts cut short and without inputs and outputs.
 *
 * Whatever begins and ends is two marks here, which the timeline pairs when it is read: so the fold never looks back.
 */
import {
  isPayloadReference,
  type ErrorDocument,
  type PayloadReference,
  type ProjectedEvent,
} from 'ecl';
import { z } from 'zod';

const ShortError = z.object({ code: z.string(), message: z.string() });
const Verdict = z.object({
  decision: z.enum(['pass', 'revise', 'reject']),
  feedback: z.string(),
});

/**
 * One event as a row keeps it; which fields there are depends on the type. What the mark before says as well is left out:
 * of rows that are written at every event of every run, each byte costs.
 *
 * Marks are made with their fields in this order, so that a row that was read back is written as it was.
 */
export const StoredMark = z.object({
  /** What pairs a beginning with its ends: an invocation, a timer, a child run, a signal. */
  id: z.string().optional(),
  /** Absent for the first one. */
  attempt: z.number().optional(),
  /** Of the step, state, event, model, artifact, value or child workflow. */
  name: z.string().optional(),
  round: z.number().optional(),
  verdict: Verdict.optional(),
  error: ShortError.optional(),
  /** Milliseconds since 1970. */
  dueAt: z.number().optional(),
  latencyMs: z.number().optional(),
  inputTokens: z.number().optional(),
  outputTokens: z.number().optional(),
  /** Absent when it is not known. */
  usd: z.number().optional(),
  /** Events that a state takes; absent when it takes none. */
  events: z.array(z.string()).optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  reason: z.string().optional(),
  bytes: z.number().optional(),
  sha256: z.string().optional(),
  type: z.string(),
  /** Where it is not the one after the mark before; the first mark of a row has it. */
  revision: z.number().optional(),
  /** Where it is another than that of the mark before. */
  at: z.string().optional(),
  /** The process that recorded it, where it is another than that of the mark before. */
  writer: z.string().optional(),
});
export type StoredMark = z.infer<typeof StoredMark>;

/** One event, as far as a timeline shows it. */
export type Mark = StoredMark & {
  readonly revision: number;
  readonly at: string;
  readonly writer: string;
};

const textMax = 300;

const short = (text: string): string =>
  text.length <= textMax ? text : `${text.slice(0, textMax - 1)}…`;

const textOf = (text: string | PayloadReference): string =>
  isPayloadReference(text) ? 'too long to show here' : short(text);

const errorOf = (error: ErrorDocument | PayloadReference): z.infer<typeof ShortError> =>
  isPayloadReference(error)
    ? { code: '', message: 'too long to show here' }
    : { code: error.code, message: short(error.message) };

/** A state value in one line: `review`, `working.draft`, `{a.b, c}`. */
const stateOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || isPayloadReference(value)) return '';
  const parts = Object.entries(value).map(([name, inner]) => {
    const below = stateOf(inner);
    return below === '' ? name : `${name}.${below}`;
  });
  if (parts.length < 2) return parts[0] ?? '';
  return `{${parts.join(', ')}}`;
};

/** An invocation of rounds carries its round beside its input. */
const roundOf = (input: unknown): number | undefined => {
  const wrapped = (input as { $round?: { round?: unknown } } | null | undefined)?.$round?.round;
  return typeof wrapped === 'number' ? wrapped : undefined;
};

const verdictOf = (output: unknown): z.infer<typeof Verdict> | undefined => {
  if (typeof output !== 'object' || output === null || !('decision' in output)) return undefined;
  const verdict = Verdict.safeParse(output);
  if (!verdict.success) return undefined;
  return { ...verdict.data, feedback: short(verdict.data.feedback) };
};

const eventName = (event: { readonly type: string } | PayloadReference): string =>
  isPayloadReference(event) ? '' : event.type;

type Detail = Omit<StoredMark, 'type' | 'revision' | 'at' | 'writer'>;
type Of<Type extends ProjectedEvent['type']> = ProjectedEvent<Type>;

const ofAttempt = ({ data }: { data: { invocation: string; attempt: number } }): Detail =>
  data.attempt === 1 ? { id: data.invocation } : { id: data.invocation, attempt: data.attempt };

const ofId = ({ data }: { data: { id: string } }): Detail => ({ id: data.id });
const ofChild = ({ data }: { data: { run: string } }): Detail => ({ id: data.run });

const ofReply = (event: Of<'ModelReplied'>): Detail => {
  const { model, usage, cost, latencyMs } = event.data;
  const detail = ofAttempt(event);
  detail.name = model;
  detail.latencyMs = latencyMs;
  if (usage !== undefined) {
    const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
    detail.inputTokens = inputTokens + cacheReadTokens + cacheWriteTokens;
    detail.outputTokens = outputTokens;
  }
  if ('usd' in cost) detail.usd = cost.usd;
  return detail;
};

const ofState = ({ data }: Of<'StateChanged'>): Detail => {
  const accepts = isPayloadReference(data.accepts) ? ['*'] : data.accepts;
  const name = stateOf(data.to);
  return accepts === undefined || accepts.length === 0 ? { name } : { name, events: accepts };
};

const ofSuccess = (event: Of<'StepSucceeded'>): Detail => {
  const detail = ofAttempt(event);
  const verdict = verdictOf(event.data.output);
  if (verdict !== undefined) detail.verdict = verdict;
  return detail;
};

const ofPause = ({ data }: Of<'RunPaused'>): Detail => ({
  ...(data.invocation === undefined ? {} : { id: data.invocation }),
  ...(data.error === undefined ? {} : { error: errorOf(data.error) }),
  reason: textOf(data.reason),
});

type Details = {
  readonly [Type in ProjectedEvent['type']]: (event: Of<Type>) => Detail;
};

const details: Details = {
  RunStarted: ({ data }) => ({
    name: `${data.workflow} ${data.version}`,
    ...(data.parent === undefined ? {} : { from: data.parent.run }),
  }),
  SignalReceived: ({ data }) => ({
    id: data.id,
    name: eventName(data.event),
    ...(data.from === undefined ? {} : { from: textOf(data.from) }),
  }),
  StepScheduled: ({ data }) => {
    const round = roundOf(data.input);
    const { invocation: id, name } = data;
    return round === undefined ? { id, name } : { id, name, round };
  },
  StepAttemptStarted: ofAttempt,
  StepSucceeded: ofSuccess,
  StepAttemptFailed: (event) => ({
    ...ofAttempt(event),
    error: errorOf(event.data.error),
    dueAt: event.data.retryAt,
  }),
  StepFailed: (event) => ({ ...ofAttempt(event), error: errorOf(event.data.error) }),
  StepInterrupted: ofAttempt,
  StepCancelled: ({ data }) => ({ id: data.invocation }),
  ModelReplied: ofReply,
  ValueRecorded: ({ data }) => ({ id: data.invocation, name: data.name }),
  ArtifactStored: ({ data: { invocation, name, bytes, sha256 } }) => ({
    id: invocation,
    name,
    bytes,
    sha256,
  }),
  TimerSet: ({ data }) => ({
    id: data.id,
    name: eventName(data.event),
    dueAt: data.dueAt,
    ...(data.to === undefined ? {} : { to: textOf(data.to) }),
  }),
  TimerFired: ofId,
  TimerCancelled: ofId,
  ChildSpawned: ({ data }) => ({ id: data.run, name: data.workflow, to: data.run }),
  ChildCompleted: ofChild,
  ChildFailed: (event) => ({ ...ofChild(event), error: errorOf(event.data.error) }),
  ChildCancelled: ofChild,
  SignalSent: ({ data }) => ({ id: data.id, name: eventName(data.event), to: textOf(data.to) }),
  SignalDelivered: ofId,
  EventEmitted: ({ data }) => ({ name: eventName(data.event) }),
  StateChanged: ofState,
  CancelRequested: ({ data }) => ({ reason: textOf(data.reason) }),
  RunPaused: ofPause,
  RunResumed: ({ data }) => (data.reason === undefined ? {} : { reason: textOf(data.reason) }),
  RunQuarantined: ({ data }) => ({ reason: textOf(data.reason) }),
  RunCompleted: () => ({}),
  RunFailed: ({ data }) => ({ error: errorOf(data.error) }),
  RunCancelled: ({ data }) => ({ reason: textOf(data.reason) }),
};

/** What the last marks that say it say. */
interface Said {
  readonly at: string | undefined;
  readonly writer: string | undefined;
}

const lastSaid = (marks: readonly StoredMark[], name: keyof Said): string | undefined => {
  for (let index = marks.length - 1; index >= 0; index -= 1) {
    const value = marks[index]![name];
    if (value !== undefined) return value;
  }
  return undefined;
};

/** Events of one append come one after the other, so these are asked for next more often than not. */
let latest: Said & { readonly marks: readonly StoredMark[] } = {
  marks: [],
  at: undefined,
  writer: undefined,
};

const saidBy = (marks: readonly StoredMark[]): Said =>
  latest.marks === marks
    ? latest
    : { at: lastSaid(marks, 'at'), writer: lastSaid(marks, 'writer') };

/** Marks with that of an event behind them; where the last of them stands before the revision `next`. */
export const marksWith = (
  event: ProjectedEvent,
  before: readonly StoredMark[],
  next: number | undefined,
): StoredMark[] => {
  const { type, revision, at, writer } = event;
  const said = saidBy(before);
  // The details are made for it alone, so they become the mark.
  const mark = (details[type] as (event: ProjectedEvent) => Detail)(event) as StoredMark;
  mark.type = type;
  if (revision !== next) mark.revision = revision;
  if (at !== said.at) mark.at = at;
  if (writer !== said.writer) mark.writer = writer;
  const marks = [...before, mark];
  latest = { marks, at, writer };
  return marks;
};

/** The marks of a row with all that they say. */
export const wholeMarks = (stored: readonly StoredMark[]): Mark[] => {
  let [revision, at, writer] = [-1, '', ''];
  return stored.map((mark) => {
    revision = mark.revision ?? revision + 1;
    at = mark.at ?? at;
    writer = mark.writer ?? writer;
    return { ...mark, revision, at, writer };
  });
};
