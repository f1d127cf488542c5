/**
 * Runs, steps and model calls as spans of OpenTelemetry.
 *
 * 1. Only its API is used. Whoever wants spans registers an SDK; without one there is no telemetry of this kind.
 * 2. No span outlives its process. A run gets one of no length when it starts, below which everything of it hangs in
 *    whatever process, and one of its whole length when it is over.
 * 3. A span holds names, counts and codes: no prompt, answer, input, output or message of an error.
 */
import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type ProxyTracerProvider,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { isEclError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Observation,
  ObservedCall,
  ObservedEnd,
  ObservedRun,
  ObservedStep,
  Outcome,
  Telemetry,
} from '../../ports/telemetry.ts';
import { replyOf, requestOf } from './gen-ai.ts';
import { contextIn, toTraceContext } from './trace-context.ts';

/** The name of the instrumentation, by which spans of ECL are told from others. */
const scope = 'ecl';

const ofRun = ({ id, workflow, version, tenant }: ObservedRun): Attributes => ({
  'ecl.run.id': id,
  'ecl.workflow.id': workflow,
  'ecl.workflow.version': version,
  'ecl.tenant': tenant,
});

/** A code of the catalogue, or the name of a class: no message, which may quote anything. */
const errorType = (error: unknown): string => {
  if (isEclError(error)) return error.code;
  return error instanceof Error ? error.name : '_OTHER';
};

const fail = (span: Span, error: unknown): void => {
  const type = typeof error === 'string' ? error : errorType(error);
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
};

/** That somebody else was faster, or wanted it no more, is no fault of the work. */
const isFault = ({ error, isAbandoned = false }: Outcome): boolean =>
  error !== undefined && !isAbandoned && !isEclError(error, 'store.wrong-expected-revision');

class SpanObservation<Ended extends Outcome> implements Observation<Ended> {
  readonly trace: string | undefined;
  readonly #span: Span;
  readonly #inside: Context;
  readonly #attributes: (outcome: Ended) => Attributes;

  constructor(
    span: Span,
    within: Context,
    attributes: (outcome: Ended) => Attributes = () => ({}),
  ) {
    this.#span = span;
    this.#inside = trace.setSpan(within, span);
    this.#attributes = attributes;
    this.trace = toTraceContext(span.spanContext());
  }

  within<Result>(work: () => Result): Result {
    return context.with(this.#inside, work);
  }

  end(outcome: Ended): void {
    this.#span.setAttributes(this.#attributes(outcome));
    if (outcome.isAbandoned === true) this.#span.setAttribute('ecl.abandoned', true);
    if (isFault(outcome)) fail(this.#span, outcome.error);
    this.#span.end();
  }
}

/** Whether somebody has registered what makes spans; those that are not sampled count too. */
export const isTracerRegistered = (): boolean => {
  const provider = trace.getTracerProvider();
  return !('getDelegateTracer' in provider) || delegateOf(provider) !== undefined;
};

/** How long the spans of the end may take to get out, in milliseconds. */
const flushMsMax = 2_000;

/** Flushing is no part of the API, but every SDK's provider can do it. */
const flush = async (clock: Clock): Promise<void> => {
  const provider = trace.getTracerProvider();
  const registered =
    'getDelegate' in provider ? (provider as ProxyTracerProvider).getDelegate() : provider;
  const { forceFlush } = registered as { forceFlush?: () => Promise<void> };
  if (forceFlush === undefined) return;
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.schedule(clock.now() + flushMsMax, resolve);
  });
  const flushed = forceFlush.call(registered).catch(() => {
    // Whoever collects spans is away; that is no matter of the one who closes.
  });
  await Promise.race([flushed, late]);
  cancel();
};

/** The API's own provider stands for the one that is registered later, and has none to show until then. */
const delegateOf = (provider: object): unknown =>
  (provider as { getDelegateTracer: (name: string) => unknown }).getDelegateTracer(scope);

export const createOpenTelemetry = ({ clock }: { readonly clock: Clock }): Telemetry => {
  const tracer: Tracer = trace.getTracer(scope);
  return {
    traces: true,

    starting: (run, parent) => {
      const within = parent === undefined ? context.active() : contextIn(parent);
      const options = { attributes: ofRun(run) };
      const span = tracer.startSpan(`start ${run.workflow}`, options, within);
      return new SpanObservation(span, within);
    },

    ended: ({ run, ending, startedAt, endedAt, errorCode, trace: of }: ObservedEnd) => {
      const attributes = { ...ofRun(run), 'ecl.run.ending': ending };
      const options = { attributes, startTime: new Date(startedAt) };
      const span = tracer.startSpan(`run ${run.workflow}`, options, contextIn(of));
      if (ending === 'failed') fail(span, errorCode ?? 'run.failed');
      span.end(new Date(endedAt));
    },

    step: ({ run, name, invocation, attempt, trace: of }: ObservedStep) => {
      const within = contextIn(of);
      const attributes = {
        ...ofRun(run),
        'ecl.step.name': name,
        'ecl.step.invocation': invocation,
        'ecl.step.attempt': attempt,
      };
      return new SpanObservation(tracer.startSpan(`step ${name}`, { attributes }, within), within);
    },

    modelCall: (call: ObservedCall) => {
      const { name, attributes } = requestOf(call);
      const within = contextIn(call.trace);
      const options = {
        kind: call.isLanguageModel ? SpanKind.CLIENT : SpanKind.INTERNAL,
        attributes: {
          ...attributes,
          ...ofRun(call.run),
          'ecl.step.name': call.step,
          'ecl.step.invocation': call.invocation,
          'ecl.model.call': call.call,
        },
      };
      return new SpanObservation(tracer.startSpan(name, options, within), within, replyOf);
    },

    caller: () => toTraceContext(trace.getActiveSpan()?.spanContext()),

    flush: () => flush(clock),
  };
};
