/**
 * How a test's ECL reaches the world around it: the event store, the model and the clock, which outlive it. A connection
 * that is cut behaves as after the death of a process: nothing gets through any more, in either direction.
 */
import { createMemoryReadStore } from '../adapters/memory/read-store.ts';
import { EclError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, SubscribeOptions } from '../ports/event-store.ts';
import type { Model } from '../ports/model.ts';
import type { Stores } from '../main.ts';

/** What a restart leaves as it is. */
export interface World {
  readonly events: EventStore;
  readonly artifacts: Stores['artifacts'];
  readonly clock: Clock;
  readonly model: string | Model;
}

export interface Connection {
  readonly stores: Stores;
  readonly model: string | Model;
  readonly clock: Clock;
  readonly cut: () => void;
}

/** Counts appends; the last one allowed is stored, and its answer is lost with the process. */
const connectStore = (
  events: EventStore,
  life: AbortController,
  appendsMax: number,
): EventStore => {
  let appends = 0;
  const open = (): EventStore => {
    if (life.signal.aborted) throw new EclError('store.closed', { store: 'of the process' });
    return events;
  };
  const counted = async <Result>(append: () => Promise<Result>): Promise<Result> => {
    open();
    appends += 1;
    if (appends < appendsMax) return append();
    const stored = append();
    life.abort();
    await stored;
    throw new EclError('store.closed', { store: 'of the process' });
  };
  const within = (signal?: AbortSignal): AbortSignal =>
    signal === undefined ? life.signal : AbortSignal.any([life.signal, signal]);
  return {
    features: events.features,
    append: (append, options) => counted(() => events.append(append, options)),
    appendAll: (all, options) => counted(() => events.appendAll(all, options)),
    readStream: (stream, options) => open().readStream(stream, options),
    lastRevision: async (stream) => open().lastRevision(stream),
    readAll: (options) => open().readAll(options),
    lastPosition: async () => open().lastPosition(),
    subscribe: (options: SubscribeOptions = {}) =>
      open().subscribe({ ...options, signal: within(options.signal) }),
    streamMetadata: async (stream) => open().streamMetadata(stream),
    setStreamMetadata: async (stream, metadata) => open().setStreamMetadata(stream, metadata),
    deleteStream: async (stream, expected) => open().deleteStream(stream, expected),
    describe: async () => open().describe(),
    close: () => {
      life.abort();
      return Promise.resolve();
    },
  };
};

const connectModel = (model: string | Model, life: AbortController): string | Model => {
  if (typeof model === 'string') return model;
  const open = (): Model => {
    if (life.signal.aborted) throw new EclError('model.aborted', { model: model.id });
    return model;
  };
  return {
    id: model.id,
    isLanguageModel: model.isLanguageModel,
    complete: async (request, options) => open().complete(request, options),
    stream: (request, options) => open().stream(request, options),
  };
};

/** What is scheduled after the cut is the tidying up of what is left in memory, and may happen. */
const connectClock = (clock: Clock, life: AbortController): Clock => ({
  now: () => clock.now(),
  schedule: (at, callback) => {
    const isTidying = life.signal.aborted;
    return clock.schedule(at, () => {
      if (isTidying || !life.signal.aborted) callback();
    });
  },
});

export const connect = (world: World, appendsMax = Infinity): Connection => {
  const life = new AbortController();
  return {
    stores: {
      events: connectStore(world.events, life, appendsMax),
      artifacts: world.artifacts,
      reads: createMemoryReadStore(),
    },
    model: connectModel(world.model, life),
    clock: connectClock(world.clock, life),
    cut: () => {
      life.abort();
    },
  };
};
