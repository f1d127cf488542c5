/**
 * The states of a `serial()`: for each place what it invokes or waits for, and where it leads.
 *
 * Everything is data but the inputs of invocations, so that the machine exports as a literal.
 */
import type { Gate } from './gate.ts';
import type { Rounds } from './rounds.ts';
import type { SerialContext } from './serial-context.ts';
import type { Place, StepPlace } from './serial-places.ts';

type States = Record<string, object>;
type Action = string | { readonly type: string; readonly params: object };
interface Target {
  readonly target: string;
  readonly actions: readonly Action[];
}
interface Args {
  readonly context: SerialContext;
}

/** A place with the names of its states, and where it leads. */
interface Named {
  readonly name: string;
  readonly review: string;
  readonly exhausted: string;
  /** The state after it, with what opens it. */
  readonly next: Target;
}

const leadingTo = (next: Target, actions: readonly Action[]): Target => ({
  target: next.target,
  actions: [...actions, ...next.actions],
});

const plainStep = ({ step }: StepPlace, { name, next }: Named): States => ({
  [name]: {
    invoke: {
      id: name,
      src: step.name,
      input: ({ context }: Args) => context.current,
      onDone: leadingTo(next, ['keepOutput']),
    },
  },
});

const exhaustedState = (rounds: Rounds, { name, exhausted, next }: Named): States => ({
  [exhausted]: {
    tags: ['gate'],
    description: `The review ${rounds.review} is not satisfied. Accept the last draft, allow more rounds, or give the output yourself.`,
    meta: { ecl: { gate: rounds.review } },
    on: {
      'rounds.accepted': leadingTo(next, ['acceptDraft']),
      'rounds.extended': { guard: 'extensionIsValid', target: name, actions: ['extendRounds'] },
      'rounds.replaced': {
        guard: { type: 'replacementFits', params: { of: rounds.of } },
        ...leadingTo(next, [{ type: 'replaceDraft', params: { of: rounds.of } }, 'acceptDraft']),
      },
    },
  },
});

/** Where a review leads that wants what no round is left for, or no round can give. */
const atTheBound = (rounds: Rounds, { exhausted, next }: Named): object[] => {
  const fail: Target = { target: 'failed', actions: ['keepVerdict', 'noteExhaustion'] };
  if (rounds.onExhausted === 'ask') return [{ target: exhausted, actions: ['keepVerdict'] }];
  if (rounds.onExhausted === 'fail') return [fail];
  // What a review rejects is not good enough with any number of rounds.
  const accepted = leadingTo(next, ['keepVerdict', 'acceptDraft']);
  return [{ guard: 'draftIsRejected', ...fail }, accepted];
};

const stepInRounds = ({ step }: StepPlace, rounds: Rounds, named: Named): States => ({
  [named.name]: {
    invoke: {
      id: named.name,
      src: step.name,
      input: ({ context }: Args) => rounds.input(context.rounds!, context.current),
      onDone: { target: named.review, actions: ['keepDraft'] },
    },
  },
  [named.review]: {
    meta: rounds.meta,
    invoke: {
      id: named.review,
      src: rounds.review,
      input: ({ context }: Args) => context.rounds?.draft,
      onDone: [
        { guard: 'draftPasses', ...leadingTo(named.next, ['keepVerdict', 'acceptDraft']) },
        {
          guard: 'draftCanBeRevised',
          target: named.name,
          actions: ['keepVerdict', 'beginNextRound'],
        },
        ...atTheBound(rounds, named),
      ],
    },
  },
  ...(rounds.onExhausted === 'ask' ? exhaustedState(rounds, named) : {}),
});

const gateState = (gate: Gate, { name, next }: Named): States => {
  const failed = (action: string): Target => ({
    target: 'failed',
    actions: [{ type: action, params: { gate: gate.name } }],
  });
  return {
    [name]: {
      tags: ['gate'],
      ...(gate.description === undefined ? {} : { description: gate.description }),
      meta: { ecl: { gate: gate.name } },
      on: {
        [`${gate.name}.approved`]: next,
        [`${gate.name}.rejected`]: failed('noteRejection'),
      },
      ...(gate.deadline === undefined
        ? {}
        : { after: { [gate.deadline]: failed('noteDeadline') } }),
    },
  };
};

const uniqueNames = (): ((wanted: string) => string) => {
  const taken = new Set(['done', 'failed']);
  return (wanted) => {
    let name = wanted;
    for (let n = 2; taken.has(name); n += 1) name = `${wanted}${n}`;
    taken.add(name);
    return name;
  };
};

/** A step that stands in the chain twice has two states, the second with a number. */
const nameAll = (places: readonly Place[]): Named[] => {
  const unique = uniqueNames();
  const own = places.map((place) =>
    unique(place.kind === 'gate' ? place.gate.name : place.step.name),
  );
  return places.map((place, index) => {
    const rounds = place.kind === 'step' ? place.rounds : undefined;
    const after = places[index + 1];
    const opened = after?.kind === 'step' ? after.rounds : undefined;
    return {
      name: own[index]!,
      review: rounds === undefined ? '' : unique(rounds.review),
      exhausted: rounds?.onExhausted === 'ask' ? unique('exhausted') : '',
      next: {
        target: own[index + 1] ?? 'done',
        actions: opened === undefined ? [] : [{ type: 'startRounds', params: { max: opened.max } }],
      },
    };
  });
};

/** The states of a chain; the first of them is where it begins. */
export const serialStates = (
  places: readonly Place[],
): { readonly initial: string; readonly states: States } => {
  const names = nameAll(places);
  const states = places.map((place, index) => {
    const named = names[index]!;
    if (place.kind === 'gate') return gateState(place.gate, named);
    return place.rounds === undefined
      ? plainStep(place, named)
      : stepInRounds(place, place.rounds, named);
  });
  const ends = { done: { type: 'final' }, failed: { type: 'final', tags: ['failed'] } };
  return { initial: names[0]!.name, states: Object.assign({}, ...states, ends) as States };
};
