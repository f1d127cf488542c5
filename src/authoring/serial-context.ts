/** What a `serial()` keeps while it runs, and the actions that move it. Everything else about rounds is rounds.ts. */
import { assign } from 'xstate';
import { startRounds, type RoundsState } from '../core/rounds.ts';

export interface SerialContext {
  readonly input: unknown;
  /** Output of the last finished place, or the input. */
  readonly current: unknown;
  readonly rounds: RoundsState | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

interface Args {
  readonly context: SerialContext;
  readonly event: { readonly type: string; readonly output?: unknown; readonly reason?: unknown };
}

const describeExhaustion = ({ rounds }: SerialContext): string => {
  const { round = 0, verdict } = rounds ?? {};
  const feedback = verdict?.feedback ?? '';
  return verdict?.decision === 'reject'
    ? `the review rejected the draft of round ${round}: ${feedback}`
    : `the review was not satisfied after ${round} ${round === 1 ? 'round' : 'rounds'}: ${feedback}`;
};

const describeRejection = (gate: string, { reason }: Args['event']): string =>
  typeof reason === 'string' && reason !== ''
    ? `the gate "${gate}" was rejected: ${reason}`
    : `the gate "${gate}" was rejected`;

export const serialActions = {
  keepOutput: assign({ current: ({ event }: Args) => event.output }),
  startRounds: assign({ rounds: (_: Args, { max }: { max: number }) => startRounds(max) }),
  acceptDraft: assign({ current: ({ context }: Args) => context.rounds?.draft, rounds: null }),
  noteExhaustion: assign({
    error: ({ context }: Args) => ({
      code: 'rounds.exhausted',
      message: describeExhaustion(context),
    }),
  }),
  noteRejection: assign({
    error: ({ event }: Args, { gate }: { gate: string }) => ({
      code: 'gate.rejected',
      message: describeRejection(gate, event),
    }),
  }),
  noteDeadline: assign({
    error: (_: Args, { gate }: { gate: string }) => ({
      code: 'gate.rejected',
      message: `nobody answered the gate "${gate}" before its deadline`,
    }),
  }),
};

/** The result, or why there is none, with what there was. */
export const serialOutput = ({ context }: { readonly context: SerialContext }): unknown => {
  const { error, current, rounds } = context;
  if (error === null) return current;
  return { error, draft: rounds?.draft ?? current ?? null, feedback: rounds?.feedback ?? [] };
};
