/** What the tests of the built-in workflows share. */
import { afterEach } from 'vitest';
import type { Ecl, Model, ModelRequest, PublicEvent, RunHandle } from 'ecl';
import { scriptedModel, simulateRestart, type Script } from 'ecl/testing';

const open: Ecl[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((ecl) => ecl.close()));
});

/** An ECL that the test need not close. */
export const kept = async (made: Promise<Ecl>): Promise<Ecl> => {
  const ecl = await made;
  open.push(ecl);
  return ecl;
};

export const eventsOf = async (
  ecl: Ecl,
  run: string,
  ...types: PublicEvent['type'][]
): Promise<PublicEvent[]> => {
  const events: PublicEvent[] = [];
  for await (const event of ecl.events({ run })) {
    if (types.length === 0 || types.includes(event.type)) events.push(event);
  }
  return events;
};

/** A script whose model counts as a language model. */
export const speaking = (script: Script) => {
  const model = scriptedModel(script);
  return { ...model, isLanguageModel: true };
};

/** Answers one request for each release; what waits when its process dies waits no more. */
export class SteppedModel implements Model {
  readonly id = 'stepped';
  readonly isLanguageModel: boolean;
  /** Requests that got an answer. */
  readonly answered: ModelRequest[] = [];
  readonly #model: Model;
  #waiting: (() => void)[] = [];

  constructor(model: Model) {
    this.#model = model;
    this.isLanguageModel = model.isLanguageModel;
  }

  async complete(request: ModelRequest, options: Parameters<Model['complete']>[1]) {
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push(resolve);
      options.signal.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((each) => each !== resolve);
        reject(new Error('the process is gone'));
      });
    });
    this.answered.push(request);
    return this.#model.complete(request, options);
  }

  stream(): never {
    throw new Error('nothing here streams');
  }

  /** Answers the next request, as soon as there is one. */
  async release(): Promise<void> {
    await eventually('a request', () => this.#waiting.length > 0);
    this.#waiting.shift()?.();
  }
}

export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Turns of the event loop, until something is so; an endless wait would keep the worker from ending. */
const eventually = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (let turns = 0; turns < 20_000; turns += 1) {
    if (await isSo()) return;
    await turn();
  }
  throw new Error(`${what} did not come`);
};

/** Waits until the journal holds this many events of a type. */
export const until = async (
  ecl: Ecl,
  run: string,
  wanted: { type: string; count: number },
): Promise<void> => {
  await eventually(`${wanted.type} ${wanted.count}`, async () => {
    const events = await eventsOf(ecl, run, wanted.type);
    return events.length >= wanted.count;
  });
};

/** Kills the process after every second decision that it stores, until the run rests; counts the lives it took. */
export const crashEverywhere = async (
  ecl: Ecl,
  run: string,
): Promise<{ handle: RunHandle; ecl: Ecl; lives: number }> => {
  let current = ecl;
  for (let lives = 1; lives < 200; lives += 1) {
    const handle = await livesOn(current, run);
    if (handle !== undefined) return { handle, ecl: current, lives };
    // The first decision of a life may be that it takes up a step; the second gets on.
    current = await kept(simulateRestart(current, { crashAfter: 2 }));
  }
  throw new Error(`${run} does not get on`);
};

/** The run when it rests, or undefined when the process dies first. */
const livesOn = async (ecl: Ecl, run: string): Promise<RunHandle | undefined> => {
  let handle: RunHandle | undefined;
  await eventually(`an end of ${run}`, async () => {
    try {
      handle = await ecl.get(run);
      // A process that is dead reads nothing.
      await eventsOf(ecl, run);
      return (await handle.document()).status !== 'running';
    } catch {
      handle = undefined;
      return true;
    }
  });
  return handle;
};
