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

/** One event, as far as a timeline shows it; which fields there are depends on the type. */
export const Mark = z.object({
  revision: z.number(),
  type: z.string(),
  at: z.string(),
  /** The process that recorded it, where it is another than that of the mark before in the same row. */
  writer: z.string().optional(),
  /** What pairs a beginning with its ends: an invocation, a timer, a child run, a signal. */
  id: z.string().optional(),
  /** Of the step, state, event, model, artifact, value or child workflow. */
  name: z.string().optional(),
  attempt: z.number().optional(),
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
});
export type Mark = z.infer<typeof Mark>;

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
  return parts.length === 1 ? parts[0]! : `{${parts.join(', ')}}`;
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

type Detail = Partial<Omit<Mark, 'revision' | 'type' | 'at'>>;
type Of<Type extends ProjectedEvent['type']> = ProjectedEvent<Type>;

const ofAttempt = ({ data }: { data: { invocation: string; attempt: number } }): Detail => ({
  id: data.invocation,
  attempt: data.attempt,
});

const ofId = ({ data }: { data: { id: string } }): Detail => ({ id: data.id });
const ofChild = ({ data }: { data: { run: string } }): Detail => ({ id: data.run });

const ofReply = ({ data }: Of<'ModelReplied'>): Detail => {
  const { invocation, attempt, model, usage, cost, latencyMs } = data;
  const { cacheReadTokens = 0, cacheWriteTokens = 0 } = usage ?? {};
  return {
    id: invocation,
    attempt,
    name: model,
    latencyMs,
    ...(usage === undefined
      ? {}
      : {
          inputTokens: usage.inputTokens + cacheReadTokens + cacheWriteTokens,
          outputTokens: usage.outputTokens,
        }),
    ...('usd' in cost ? { usd: cost.usd } : {}),
  };
};

const ofState = ({ data }: Of<'StateChanged'>): Detail => {
  const accepts = isPayloadReference(data.accepts) ? ['*'] : data.accepts;
  const name = stateOf(data.to);
  return accepts === undefined || accepts.length === 0 ? { name } : { name, events: accepts };
};

const ofSuccess = (event: Of<'StepSucceeded'>): Detail => {
  const verdict = verdictOf(event.data.output);
  return verdict === undefined ? ofAttempt(event) : { ...ofAttempt(event), verdict };
};

const ofPause = ({ data }: Of<'RunPaused'>): Detail => ({
  reason: textOf(data.reason),
  ...(data.error === undefined ? {} : { error: errorOf(data.error) }),
  ...(data.invocation === undefined ? {} : { id: data.invocation }),
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

/** The mark of an event; `before` is the process that recorded the mark before it. */
export const markOf = (event: ProjectedEvent, before: string): Mark => {
  const { revision, type, at, writer } = event;
  const detail = (details[type] as (event: ProjectedEvent) => Detail)(event);
  const mark = { revision, type, at, ...detail };
  return writer === before ? mark : { ...mark, writer };
};
