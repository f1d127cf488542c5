/** Machines that a drawing must hold out against. */
import * as fc from 'fast-check';
import { createMachine, fromPromise, setup, type AnyStateMachine } from 'xstate';

/** All kinds of states and transitions, in one machine. */
export const everything = setup({
  actors: {
    summarise: fromPromise(() => Promise.resolve('')),
    translateTheWholeDocumentIntoEveryLanguageAskedFor: fromPromise(() => Promise.resolve('')),
  },
  guards: { isReady: () => true, hasEnoughCreditsForAnotherRoundOfTranslation: () => true },
  actions: { note: () => {} },
  delays: { patience: 1000 },
}).createMachine({
  id: 'everything',
  version: '2.1.0',
  description: 'All at once <script>alert(1)</script> & "more", 日本語 and 🎉.',
  initial: 'idle',
  on: { 'abort.now': { target: '.aborted' }, 'note.added': { actions: 'note' } },
  states: {
    idle: {
      description: 'Waits <script>alert("x")</script>\u0000 ]]> &amp;',
      on: {
        start: 'working',
        ping: { target: 'idle', reenter: true },
        resume: 'working.hist',
        'resume.deep': { target: '#everything.working.deep', guard: 'isReady' },
        both: { target: ['#everything.working.left.b', '#everything.working.right.y'] },
      },
    },
    working: {
      type: 'parallel',
      tags: ['busy', 'billable', 'a-rather-long-tag-that-goes-on'],
      entry: ['note'],
      on: { pause: 'paused', restart: { target: 'working', reenter: true } },
      onDone: [{ guard: 'isReady', target: 'finished' }, { target: 'aborted' }],
      states: {
        left: {
          initial: 'a',
          invoke: { src: 'summarise', id: 'watcher' },
          states: {
            a: {
              tags: ['gate'],
              on: { go: 'b', self: { target: 'a', guard: 'isReady', reenter: true } },
            },
            b: {
              initial: 'b1',
              states: {
                b1: {
                  on: {
                    deeper: 'b2',
                    'jump.out': '#everything.idle',
                    reset: '#everything.working.left',
                  },
                },
                b2: { after: { 1500: 'b1', 3_600_000: '#everything.working.left.c' } },
              },
              on: { up: 'a' },
            },
            c: { type: 'final' },
          },
        },
        right: {
          initial: 'x',
          states: {
            x: {
              invoke: [
                {
                  src: 'translateTheWholeDocumentIntoEveryLanguageAskedFor',
                  id: 'translation',
                  onDone: { target: 'y', guard: 'hasEnoughCreditsForAnotherRoundOfTranslation' },
                  onError: 'failed',
                },
                { src: 'summarise', onDone: 'z' },
              ],
            },
            y: { always: [{ guard: 'isReady', target: 'z' }], after: { patience: 'x' } },
            failed: { on: { retry: 'x', '*': 'z' } },
            z: { type: 'final' },
          },
        },
        hist: { type: 'history' },
        deep: { type: 'history', history: 'deep', target: 'left' },
      },
    },
    paused: { on: { resume: 'working.hist' }, after: { 86_400_000: 'aborted' } },
    aVeryLongStateNameThatNobodyShouldEverWriteButSomebodyWillCertainlyDoSoOneDay: {
      on: { ok: 'finished' },
      exit: 'note',
    },
    'straße & 名前 🎉': {
      on: {
        weiter: 'aVeryLongStateNameThatNobodyShouldEverWriteButSomebodyWillCertainlyDoSoOneDay',
      },
    },
    finished: { type: 'final' },
    aborted: { type: 'final', description: 'The end.' },
  },
}) as unknown as AnyStateMachine;

interface Tree {
  readonly kind: 'nested' | 'parallel' | 'atomic' | 'final' | 'history';
  readonly inside: readonly Tree[];
}

interface Drawn {
  readonly from: number;
  readonly to: number;
  readonly event: string;
  readonly isGuarded: boolean;
}

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({
      kind: fc.constantFrom(
        'atomic' as const,
        'atomic' as const,
        'final' as const,
        'history' as const,
      ),
      inside: fc.constant([]),
    }),
    fc.record({
      kind: fc.constantFrom('nested' as const, 'parallel' as const),
      inside: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
    }),
  ),
}));

const machineOf = (
  inside: readonly Tree[],
  drawn: readonly Drawn[],
  prose: string,
): AnyStateMachine => {
  const sources: Record<string, unknown>[] = [];
  const targets: string[] = [];
  const configOf = ({ kind, inside: below }: Tree): object => {
    const id = `s${targets.length}`;
    targets.push(`#${id}`);
    const config: Record<string, unknown> = { id, description: prose };
    if (kind === 'final' || kind === 'history') return { ...config, type: kind };
    sources.push(config);
    if (kind === 'atomic') return config;
    // Its first state is one that can be entered.
    const states = [{ kind: 'atomic' as const, inside: [] }, ...below].map(configOf);
    config['states'] = Object.fromEntries(states.map((each, index) => [`state ${index}`, each]));
    return Object.assign(config, kind === 'parallel' ? { type: kind } : { initial: 'state 0' });
  };
  const root = configOf({ kind: 'nested', inside }) as Record<string, unknown>;
  for (const { from, to, event, isGuarded } of drawn) {
    const source = sources[from % sources.length]!;
    const transition = {
      target: targets[to % targets.length],
      ...(isGuarded ? { guard: 'g' } : {}),
    };
    source['on'] = { ...(source['on'] as object), [event]: { ...transition, reenter: true } };
  }
  return createMachine(root);
};

/** Any nesting, with transitions between any two states of it. */
export const anyMachine: fc.Arbitrary<AnyStateMachine> = fc
  .tuple(
    fc.array(tree, { minLength: 1, maxLength: 4 }),
    fc.array(
      fc.record({ from: fc.nat(50), to: fc.nat(50), event: text, isGuarded: fc.boolean() }),
      { maxLength: 14 },
    ),
    text,
  )
  .map(([inside, drawn, prose]) => machineOf(inside, drawn, prose));
