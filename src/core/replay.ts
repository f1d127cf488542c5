/**
 * Replay: rebuilds a run from its journal and proves it, by drawing each decision's consequences again and comparing
 * them with the recorded ones.
 *
 * 1. Events come in order, one at a time; a decision is compared when the next fact, or the end, closes it.
 * 2. The comparison is of texts as they are stored; only when they differ are the values compared.
 * 3. The first difference ends the replay with both sides (`Divergence`); it never guesses on.
 */
import { decide, decideStart, type Decision } from './decide.ts';
import type { DurableMachine } from './durable-machine.ts';
import { isEclError } from './errors.ts';
import { applyDecision } from './evolve.ts';
import { chainStart } from './hash-chain.ts';
import { chainFault, openEvent, recordedOf, type StoredEvent } from './journal-codec.ts';
import { isFactType, type Fact, type JournalData, type JournalEvent } from './journal-events.ts';
import { jsonEquals } from './json-value.ts';
import { seal } from './payload.ts';
import { newRun, type RunState } from './run-state.ts';

export interface Divergence {
  readonly revision: number;
  readonly type: string;
  readonly reason: string;
  readonly expected?: unknown;
  readonly got?: unknown;
}

/** Ends a replay; the loader quarantines the run with it. */
export class ReplayDiverged extends Error {
  override readonly name = 'ReplayDiverged';
  readonly divergence: Divergence;

  constructor(divergence: Divergence) {
    super(`revision ${divergence.revision} (${divergence.type}): ${divergence.reason}`);
    this.divergence = divergence;
  }
}

interface Opened {
  readonly stored: StoredEvent;
  readonly event: JournalEvent;
}

const firstDifference = (decision: Decision, group: readonly Opened[]): Divergence | undefined => {
  const length = Math.max(decision.events.length, group.length);
  for (let index = 1; index < length; index += 1) {
    const expected = decision.events[index];
    const got = group[index];
    if (expected?.type === got?.event.type && expected !== undefined && got !== undefined) {
      if (seal(expected.data).text === got.stored.data) continue;
      if (jsonEquals(expected.data, got.event.data)) continue;
    }
    const at = got?.stored ?? group.at(-1)!.stored;
    return {
      revision: got?.stored.revision ?? at.revision + 1,
      type: got?.event.type ?? expected!.type,
      reason: describeDifference(expected, got?.event),
      expected: expected ?? null,
      got: got?.event ?? null,
    };
  }
  return undefined;
};

const describeDifference = (
  expected: JournalEvent | undefined,
  got: JournalEvent | undefined,
): string => {
  if (expected === undefined) return `recorded is ${got!.type}, the machine now draws nothing`;
  if (got === undefined) return `the machine now draws ${expected.type}, recorded is nothing`;
  if (expected.type !== got.type) {
    return `recorded is ${got.type}, the machine now draws ${expected.type}`;
  }
  return `the machine now draws another ${expected.type} than the recorded one`;
};

/** Called after each decision that replayed, with the state that it led to. */
export type OnDecision = (state: RunState, events: readonly JournalEvent[]) => void;

export class Replay {
  readonly #id: string;
  readonly #machineOf: (started: JournalData<'RunStarted'>) => DurableMachine;
  readonly #blobText: (sha256: string) => string | undefined;
  readonly #onDecision: OnDecision | undefined;
  #state: RunState | undefined;
  #group: Opened[] = [];
  #prev = chainStart;
  #revision = -1;

  /**
   * @param options.machineOf finds the machine that the run is pinned to; what it throws ends the replay
   * @param options.from a state to go on from, which is changed in place: a snapshot's, or the last one known
   */
  constructor(options: {
    id: string;
    machineOf: (started: JournalData<'RunStarted'>) => DurableMachine;
    blobText: (sha256: string) => string | undefined;
    from?: RunState;
    onDecision?: OnDecision | undefined;
  }) {
    this.#onDecision = options.onDecision;
    this.#id = options.id;
    this.#machineOf = options.machineOf;
    this.#blobText = options.blobText;
    this.#state = options.from;
    if (options.from !== undefined) {
      this.#prev = options.from.hash;
      this.#revision = options.from.revision;
    }
  }

  /**
   * Takes the next event.
   *
   * @returns addresses of blobs that are needed first; the caller fetches them and offers the event again
   * @throws ReplayDiverged
   */
  add(stored: StoredEvent): readonly string[] | undefined {
    const fault = chainFault(stored, this.#prev, this.#revision + 1);
    if (fault !== undefined) throw this.#diverged(stored, fault);
    const opened = this.#open(stored);
    if ('missing' in opened) return opened.missing;
    const { event } = opened;
    if (this.#opensDecision(event)) this.#close();
    else if (this.#group.length === 0) throw this.#diverged(stored, 'it has no fact before it');
    this.#group.push({ stored, event });
    this.#prev = recordedOf(stored).hash;
    this.#revision = stored.revision;
    return undefined;
  }

  /**
   * The state after the last event, or undefined when there was none.
   * @throws ReplayDiverged
   */
  finish(): RunState | undefined {
    this.#close();
    return this.#state;
  }

  /** The state after the last decision that replayed. */
  get agreed(): RunState | undefined {
    return this.#state?.revision === -1 ? undefined : this.#state;
  }

  /** Where the journal ends, for one that could not be replayed to its end. */
  get head(): { revision: number; hash: string } {
    return { revision: this.#revision, hash: this.#prev };
  }

  #opensDecision(event: JournalEvent): boolean {
    if (event.type === 'RunQuarantined') return !event.data.pending;
    return isFactType(event.type);
  }

  #open(stored: StoredEvent): { event: JournalEvent } | { missing: readonly string[] } {
    try {
      return openEvent(stored, this.#blobText);
    } catch (error) {
      if (isEclError(error)) throw this.#diverged(stored, error.message);
      throw error;
    }
  }

  #diverged(stored: StoredEvent, reason: string): ReplayDiverged {
    return new ReplayDiverged({ revision: stored.revision, type: stored.type, reason });
  }

  #close(): void {
    const group = this.#group;
    if (group.length === 0) return;
    this.#group = [];
    const first = group[0]!;
    const fact = first.event as Fact;
    const state = (this.#state ??= this.#begin(fact, first.stored));
    const decision = this.#decideAgain(state, group);
    const difference = firstDifference(decision, group);
    if (difference !== undefined) throw new ReplayDiverged(difference);
    applyDecision(
      state,
      decision,
      group.map(({ stored }) => recordedOf(stored)),
    );
    this.#onDecision?.(
      state,
      group.map(({ event }) => event),
    );
  }

  #begin(fact: Fact, stored: StoredEvent): RunState {
    if (fact.type !== 'RunStarted')
      throw this.#diverged(stored, 'a journal begins with RunStarted');
    return newRun(this.#id, fact.data, {
      machine: this.#machineOf(fact.data),
      at: recordedOf(stored).at,
    });
  }

  #decideAgain(state: RunState, group: readonly Opened[]): Decision {
    const { event, stored } = group[0]!;
    const fact = event as Fact;
    const last = group.at(-1)!.event;
    if (last.type === 'RunQuarantined' && last.data.pending) {
      // The machine could not take the fact then; whether it can now is for a resume to find out.
      return {
        events: group.map((each) => each.event),
        transition: undefined,
        contextHash: undefined,
        notifications: [],
      };
    }
    const now = Date.parse(recordedOf(stored).at);
    try {
      return fact.type === 'RunStarted' ? decideStart(state, fact, now) : decide(state, fact, now);
    } catch (error) {
      throw this.#diverged(stored, error instanceof Error ? error.message : String(error));
    }
  }
}
