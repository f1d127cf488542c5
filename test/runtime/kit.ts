/**
 * What tests of the runtime share: a world that outlives a process (store, files, clock, model), processes that are
 * opened on it and killed, and eyes on the journal.
 */
import pino from 'pino';
import { afterEach } from 'vitest';
import { createEcl, EclError, type Ecl, type EclOptions, type Model, type ModelRequest } from 'ecl';
import { SimulatedClock } from 'ecl/testing';
import { createMemoryArtifactStore } from '../../src/adapters/memory/artifact-store.ts';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { journalStream } from '../../src/core/ids.ts';
import { replayJournal } from '../../src/runtime/phases/replay-journal.ts';
import { connect } from '../../src/testing/test-connection.ts';

export interface JournalEntry {
  readonly revision: number;
  readonly type: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any;
  readonly at: string;
}

type Options = Pick<EclOptions, 'workflows' | 'limits' | 'budget' | 'prices' | 'recover'>;

const opened = new Map<Ecl, SimulatedClock>();

/** Closing may wait a while, and its clock goes on only when it is moved. */
afterEach(async () => {
  const clocks = new Set(opened.values());
  const closing = Promise.all([...opened.keys()].map((ecl) => ecl.close({ graceMs: 0 })));
  opened.clear();
  const passing = async (): Promise<'passed'> => {
    for (const clock of clocks) await clock.advance(500);
    return 'passed';
  };
  for (;;) if ((await Promise.race([closing, passing()])) !== 'passed') return;
});

/** Answers what the test says; remembers what it was asked. */
export class TestModel implements Model {
  readonly id = 'test:model';
  readonly isLanguageModel = true;
  readonly asked: string[] = [];
  readonly keys: string[] = [];
  answer: (
    request: ModelRequest,
    call: { number: number; signal: AbortSignal },
  ) => string | Promise<string>;

  constructor(answer: TestModel['answer'] = () => 'yes') {
    this.answer = answer;
  }

  async complete(
    request: ModelRequest,
    { signal, idempotencyKey }: Parameters<Model['complete']>[1],
  ): ReturnType<Model['complete']> {
    const { messages } = request;
    const number = this.asked.push(messages.at(-1)?.content ?? '');
    this.keys.push(idempotencyKey);
    const text = await this.answer(request, { number, signal });
    const usage = { inputTokens: 10, outputTokens: 5 };
    return { model: 'test-model', text, toolCalls: [], stopReason: 'end', usage };
  }

  async *stream(
    request: ModelRequest,
    options: Parameters<Model['stream']>[1],
  ): ReturnType<Model['stream']> {
    const reply = await this.complete(request, options);
    yield { kind: 'text', text: reply.text };
    yield { kind: 'reply', reply };
  }
}

/** A store with some of its methods replaced. */
export const decorated = (store: EventStore, own: Partial<EventStore>): EventStore => ({
  features: store.features,
  append: (append, options) => store.append(append, options),
  appendAll: (appends, options) => store.appendAll(appends, options),
  readStream: (stream, options) => store.readStream(stream, options),
  lastRevision: (stream) => store.lastRevision(stream),
  readAll: (options) => store.readAll(options),
  lastPosition: () => store.lastPosition(),
  subscribe: (options) => store.subscribe(options),
  streamMetadata: (stream) => store.streamMetadata(stream),
  setStreamMetadata: (stream, metadata) => store.setStreamMetadata(stream, metadata),
  deleteStream: (stream, expected) => store.deleteStream(stream, expected),
  describe: () => store.describe(),
  close: () => store.close(),
  ...own,
});

/** What stays when a process goes. */
export class World {
  readonly clock = new SimulatedClock('2026-03-01T09:00:00.000Z');
  readonly artifacts = createMemoryArtifactStore();
  readonly model: TestModel;
  events: EventStore = createMemoryEventStore();
  readonly #cuts = new Map<Ecl, () => void>();
  #decorate: EventStore['append'] | undefined;

  constructor(answer?: TestModel['answer']) {
    this.model = new TestModel(answer);
  }

  /** A process on this world. */
  async open(options: Options = {}): Promise<Ecl> {
    const { artifacts, clock, model } = this;
    const events = decorated(this.events, {
      append: (append) => (this.#decorate ?? ((each) => this.events.append(each)))(append),
    });
    const { stores, cut, ...rest } = connect({ events, artifacts, clock, model });
    const ecl = await createEcl({
      logger: pino({ level: process.env['ECL_TEST_LOG'] ?? 'silent' }),
      store: stores,
      ...rest,
      ...options,
    });
    this.#cuts.set(ecl, cut);
    opened.set(ecl, clock);
    return ecl;
  }

  /** Ends a process as SIGKILL does: nothing it still does gets through. */
  kill(ecl: Ecl): void {
    this.#cuts.get(ecl)?.();
    // What is left of it in memory is tidied up; nobody waits for that.
    if (opened.delete(ecl)) ecl.close({ graceMs: 0 }).catch(() => {});
  }

  async restart(ecl: Ecl, options: Options = {}): Promise<Ecl> {
    this.kill(ecl);
    return this.open(options);
  }

  /** Lets everything happen that happens without time passing. */
  async settle(turns = 30): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await this.clock.advance(0);
  }

  /** Lets time pass in small steps, as it does. */
  async pass(ms: number, steps = 10): Promise<void> {
    const size = Math.ceil(ms / steps);
    for (let left = ms; left > 0; left -= size) {
      await this.clock.advance(Math.min(size, left));
      await this.settle(3);
    }
  }

  /** Kills a process at its nth append from now, before it is stored or before it is acknowledged. */
  killAt(ecl: Ecl, nth: number, when: 'before' | 'after'): { hit: boolean; disarm: () => void } {
    const store = this.events;
    const armed = { hit: false, disarm: () => (this.#decorate = (append) => store.append(append)) };
    let count = 0;
    this.#decorate = async (append) => {
      count += 1;
      if (count !== nth) return store.append(append);
      armed.hit = true;
      if (when === 'after') await store.append(append);
      this.kill(ecl);
      throw new EclError('store.closed', { store: 'killed' });
    };
    return armed;
  }

  async journal(run: string): Promise<JournalEntry[]> {
    const entries: JournalEntry[] = [];
    for await (const event of this.events.readStream(journalStream(run))) {
      const { revision, type, data, metadata } = event;
      entries.push({ revision, type, data: JSON.parse(data), at: metadata.at ?? '' });
    }
    return entries;
  }

  async types(run: string): Promise<string[]> {
    return (await this.journal(run)).map(({ type }) => type);
  }

  async count(run: string, type: string): Promise<number> {
    return (await this.types(run)).filter((each) => each === type).length;
  }
}

/** @throws Error when the run's journal does not replay to its end */
export const replays = async (ecl: Ecl, run: string): Promise<void> => {
  const replayed = await replayJournal(ecl.system.services, run);
  if (replayed.kind === 'ready') return;
  const why = replayed.kind === 'diverged' ? JSON.stringify(replayed.divergence) : replayed.kind;
  throw new Error(`${run} does not replay: ${why}`);
};

/**
 * Kills a process at each of its appends in turn, before and after it is stored, and finishes in the next one.
 *
 * @param scenario.live what the first process does; it may fail at any point
 * @param scenario.finish what the second process does; it must succeed
 * @returns how many kills it took
 */
export const atEveryAppend = async (scenario: {
  world?: () => World;
  options: Options;
  live: (ecl: Ecl, world: World) => Promise<void>;
  finish: (ecl: Ecl, world: World, killed: string) => Promise<void>;
}): Promise<number> => {
  for (let nth = 1, kills = 0; ; nth += 1) {
    for (const when of ['before', 'after'] as const) {
      const world = scenario.world?.() ?? new World();
      const first = await world.open(scenario.options);
      const armed = world.killAt(first, nth, when);
      await scenario.live(first, world).catch(() => {});
      armed.disarm();
      if (!armed.hit) return kills;
      kills += 1;
      const second = await world.restart(first, scenario.options);
      await scenario.finish(second, world, `killed ${when} append ${nth}`);
    }
  }
};

/** A promise with its ends in the hands of the test. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

export const deferred = <Value = void>(): Deferred<Value> => {
  let resolve!: (value: Value) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
};
