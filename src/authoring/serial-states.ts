/** The states of a `serial()`: for each place what it invokes or waits for, and where it leads. */
import { assign } from 'xstate';
import { startRounds } from '../core/rounds.ts';
import type { Gate } from './gate.ts';
import type { Rounds } from './rounds.ts';
import type { SerialContext } from './serial.ts';
import type { Step } from './step.ts';

export type Place =
  | {
      readonly kind: 'step';
      readonly step: Step<never, unknown>;
      readonly rounds: Rounds | undefined;
    }
  | { readonly kind: 'gate'; readonly gate: Gate };

type States = Record<string, object>;
type Args = { context: SerialContext };

/** A place with the names of its states, and of the state after it. */
interface Named {
  readonly name: string;
  readonly review: string;
  readonly exhausted: string;
  readonly startRounds: string;
  readonly next: string;
}

/** The action that opens the rounds of the place that a transition leads to, if it has any. */
type Opening = (target: string) => readonly string[];

const uniqueNames = (): ((wanted: string) => string) => {
  const taken = new Set(['done', 'failed']);
  return (wanted) => {
    let name = wanted;
    for (let n = 2; taken.has(name); n += 1) name = `${wanted}${n}`;
    taken.add(name);
    return name;
  };
};

const plainStep = (
  { step }: Extract<Place, { kind: 'step' }>,
  named: Named,
  opening: Opening,
): States => ({
  [named.name]: {
    invoke: {
      src: step.name,
      input: ({ context }: Args) => context.current,
      onDone: { target: named.next, actions: ['keepOutput', ...opening(named.next)] },
    },
  },
});

const exhaustedState = (rounds: Rounds, named: Named, accept: object): States =>
  rounds.onExhausted === 'ask'
    ? {
        [named.exhausted]: {
          tags: ['gate'],
          description: `The review ${rounds.review} is not satisfied. Accept the last draft, allow more rounds, or give the output yourself.`,
          meta: { ecl: { gate: rounds.review } },
          on: {
            'rounds.accepted': accept,
            'rounds.extended': { target: named.name, actions: ['extendRounds'] },
            'rounds.replaced': {
              ...accept,
              actions: ['replaceDraft', ...(accept as { actions: string[] }).actions],
            },
          },
        },
      }
    : {};

const stepInRounds = (
  { step, rounds }: { step: Step<never, unknown>; rounds: Rounds },
  named: Named,
  opening: Opening,
): States => {
  const accept = { target: named.next, actions: ['acceptDraft', ...opening(named.next)] };
  const fail = { target: 'failed', actions: ['keepVerdict', 'noteExhaustion'] };
  const exhausted = {
    ask: [{ target: named.exhausted, actions: ['keepVerdict'] }],
    fail: [fail],
    accept: [
      { guard: 'draftIsRejected', ...fail },
      { ...accept, actions: ['keepVerdict', ...accept.actions] },
    ],
  }[rounds.onExhausted];
  return {
    [named.name]: {
      invoke: {
        src: step.name,
        input: ({ context }: Args) => rounds.input(context.rounds!, context.current),
        onDone: { target: named.review, actions: ['keepDraft'] },
      },
    },
    [named.review]: {
      meta: rounds.meta,
      invoke: {
        src: rounds.review,
        input: ({ context }: Args) => context.rounds?.draft,
        onDone: [
          {
            guard: 'draftPasses',
            target: named.next,
            actions: ['keepVerdict', ...accept.actions],
          },
          {
            guard: 'draftCanBeRevised',
            target: named.name,
            actions: ['keepVerdict', 'beginNextRound'],
          },
          ...exhausted,
        ],
      },
    },
    ...exhaustedState(rounds, named, accept),
  };
};

const gateState = (gate: Gate, named: Named, opening: Opening): States => ({
  [named.name]: {
    tags: ['gate'],
    ...(gate.description === undefined ? {} : { description: gate.description }),
    meta: { ecl: { gate: gate.name } },
    on: {
      [`${gate.name}.approved`]: { target: named.next, actions: [...opening(named.next)] },
      [`${gate.name}.rejected`]: { target: 'failed', actions: ['noteRejection'] },
    },
    ...(gate.deadline === undefined
      ? {}
      : { after: { [gate.deadline]: { target: 'failed', actions: ['noteRejection'] } } }),
  },
});

const nameAll = (places: readonly Place[]): Named[] => {
  const unique = uniqueNames();
  const own = places.map((place) =>
    unique(place.kind === 'gate' ? place.gate.name : place.step.name),
  );
  return places.map((place, index) => {
    const rounds = place.kind === 'step' ? place.rounds : undefined;
    return {
      name: own[index]!,
      review: rounds === undefined ? '' : unique(rounds.review),
      exhausted: rounds?.onExhausted === 'ask' ? unique('exhausted') : '',
      startRounds: rounds === undefined ? '' : `startRoundsOf${capitalised(own[index]!)}`,
      next: own[index + 1] ?? 'done',
    };
  });
};

const capitalised = (name: string): string => `${name[0]!.toUpperCase()}${name.slice(1)}`;

/** States, the initial one, and for each place with rounds the action that starts them. */
export const serialStates = (
  places: readonly Place[],
): { initial: string | object; states: States; starts: Record<string, unknown> } => {
  const names = nameAll(places);
  const opening: Opening = (target) =>
    names
      .filter(({ name, startRounds: start }) => name === target && start !== '')
      .map(({ startRounds: start }) => start);
  const states: States = {};
  const starts: Record<string, unknown> = {};
  places.forEach((place, index) => {
    const named = names[index]!;
    if (place.kind === 'gate') Object.assign(states, gateState(place.gate, named, opening));
    else if (place.rounds === undefined) Object.assign(states, plainStep(place, named, opening));
    else {
      const { step, rounds } = place;
      starts[named.startRounds] = assign({ rounds: () => startRounds(rounds.max) });
      Object.assign(states, stepInRounds({ step, rounds }, named, opening));
    }
  });
  const first = names[0]!.name;
  const [open] = opening(first);
  return {
    initial: open === undefined ? first : { target: first, actions: [open] },
    states: {
      ...states,
      done: { type: 'final' },
      failed: { type: 'final', tags: ['failed'] },
    },
    starts,
  };
};
