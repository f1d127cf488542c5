/** Machines that the tests of the runtime run: each the smallest that shows its point. */
import { assign, setup, type AnyActorLogic, type AnyStateMachine } from 'xstate';
import { step } from 'ecl';

export const outputOf = ({ event }: { event: unknown }): unknown =>
  (event as { output: unknown }).output;
export const errorOf = ({ event }: { event: unknown }): unknown =>
  (event as { error: unknown }).error;
export const payloadOf =
  (name: string) =>
  ({ event }: { event: unknown }): unknown =>
    (event as Record<string, unknown>)[name];

/** One model call, its question in the input. */
export const ask = step<unknown, string>({
  name: 'ask',
  execute: ({ input, model }) => model.text((input as { q?: string } | null)?.q ?? 'well?'),
});

/** Ends with what its one step gave, or with the error that it failed with. */
export const oneStep = (work: object, id = 'one-step'): AnyStateMachine =>
  setup({ actors: { work: work as AnyActorLogic } }).createMachine({
    id,
    version: '1.0.0',
    context: ({ input }) => ({ input: (input ?? null) as unknown, got: null as unknown }),
    initial: 'working',
    states: {
      working: {
        invoke: {
          src: 'work',
          input: ({ context }: { context: { input: unknown } }) => context.input,
          onDone: { target: 'done', actions: assign({ got: outputOf }) },
          onError: { target: 'failed', actions: assign({ got: errorOf }) },
        },
        on: { 'work.left': 'left' },
      },
      left: { on: { 'work.again': 'working', 'all.over': 'done' } },
      done: { type: 'final' },
      failed: { type: 'final' },
    },
    output: ({ context }) => context.got,
  });

/** Ends with what its one step gave, and takes `note` meanwhile. */
export const besideSignals = (work: object, id = 'beside-signals'): AnyStateMachine =>
  setup({ actors: { work: work as AnyActorLogic } }).createMachine({
    id,
    version: '1.0.0',
    context: { got: null, notes: 0 },
    initial: 'working',
    states: {
      working: {
        invoke: { src: 'work', onDone: { target: 'done', actions: assign({ got: outputOf }) } },
        on: { note: { actions: assign({ notes: ({ context }) => context.notes + 1 }) } },
      },
      done: { type: 'final' },
    },
    output: ({ context }) => context.got,
  });

/** As `oneStep`, with no way on from its failure. */
export const onlyStep = (work: object, id = 'only-step'): AnyStateMachine =>
  setup({ actors: { work: work as AnyActorLogic } }).createMachine({
    id,
    version: '1.0.0',
    context: { got: null },
    initial: 'working',
    states: {
      working: {
        invoke: { src: 'work', onDone: { target: 'done', actions: assign({ got: outputOf }) } },
      },
      done: { type: 'final' },
    },
    output: ({ context }) => context.got,
  });

/** Asks so many questions at once, and is done when each is answered. */
export const sideBySide = (count: number, id = 'side-by-side'): AnyStateMachine => {
  const region = (n: number): object => ({
    initial: 'on',
    states: {
      on: { invoke: { src: 'ask', input: { q: `q${n}` }, onDone: 'off' } },
      off: { type: 'final' },
    },
  });
  const states = Array.from({ length: count }, (_, n) => [`r${n}`, region(n)]);
  return setup({ actors: { ask } }).createMachine({
    id,
    version: '1.0.0',
    type: 'parallel',
    states: Object.fromEntries(states),
  } as never) as unknown as AnyStateMachine;
};

/** Waits for signals `note { what }` and ends with all of them at `end`. */
export const notes = setup({}).createMachine({
  id: 'notes',
  version: '1.0.0',
  context: { noted: [] as unknown[] },
  initial: 'open',
  states: {
    open: {
      on: {
        note: {
          actions: assign({
            noted: ({ context, event }) => [...context.noted, payloadOf('what')({ event })],
          }),
        },
        end: 'done',
        lock: 'locked',
      },
    },
    locked: { on: { unlock: 'open' } },
    done: { type: 'final' },
  },
  output: ({ context }) => context.noted,
}) as unknown as AnyStateMachine;

/** Ends by itself after a delay. */
export const waits = (delayMs: number, id = 'waits'): AnyStateMachine =>
  setup({}).createMachine({
    id,
    version: '1.0.0',
    initial: 'waiting',
    states: {
      waiting: { after: { [delayMs]: 'done' }, on: { hurry: 'done' } },
      done: { type: 'final' },
    },
    output: () => 'woke',
  });

/** A parent that ends with what its child ended with, and leaves it at `child.left`. */
export const parentOf = (child: AnyStateMachine, id = 'parent'): AnyStateMachine =>
  setup({ actors: { child } }).createMachine({
    id,
    version: '1.0.0',
    context: { got: null },
    initial: 'waiting',
    states: {
      waiting: {
        invoke: {
          id: 'child',
          src: 'child',
          onDone: { target: 'done', actions: assign({ got: outputOf }) },
          onError: { target: 'done', actions: assign({ got: errorOf }) },
        },
        on: { 'child.left': 'left' },
      },
      left: { on: { 'child.again': 'waiting', 'all.over': 'done' } },
      done: { type: 'final' },
    },
    output: ({ context }) => context.got,
  });
