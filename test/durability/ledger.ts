/**
 * What a provider was asked and what it charges, by its own books alone, and which of its answers a journal has.
 *
 * Whatever is not journaled was lost with the process that asked. A process has one call under way in each of its runs,
 * so a lost call is the last that its process made in its run.
 */
import type { PublicEvent } from 'ecl';
import { tagOf, type Billed, type Call } from './model-server.ts';

export interface Bill {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  nanoUsd: number;
}

/** Model and list price of the provider: billionths of a dollar a token. */
export const charged = {
  model: 'claude-sonnet-5-5',
  input: 2_000,
  output: 10_000,
  cacheRead: 100,
  cacheWrite: 2_500,
} as const;

/** Each call another one, so that a call that is missing or counted twice cannot make up for another. */
export const billedFor = ({ number }: Pick<Call, 'number'>): Billed => ({
  input_tokens: 100 + number,
  output_tokens: 10 + (number % 7),
  cache_read_input_tokens: 3 * number,
  cache_creation_input_tokens: number % 5,
});

export const billOf = (calls: readonly Call[]): Bill => {
  const bill: Bill = {
    calls: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    nanoUsd: 0,
  };
  for (const call of calls) {
    const { input_tokens: input, output_tokens: output, ...cached } = billedFor(call);
    const { cache_read_input_tokens: read = 0, cache_creation_input_tokens: write = 0 } = cached;
    bill.calls += 1;
    bill.inputTokens += input;
    bill.outputTokens += output;
    bill.cacheReadTokens += read;
    bill.cacheWriteTokens += write;
    bill.nanoUsd +=
      input * charged.input +
      output * charged.output +
      read * charged.cacheRead +
      write * charged.cacheWrite;
  }
  return bill;
};

/** The run that a call was made for. */
export const runOf = ({ question }: Call): string => `essay.${tagOf(question).replaceAll('#', '')}`;

const numberIn = (text: string): number =>
  Number([...text.matchAll(/\[(\d+)\]/g)].at(-1)?.[1] ?? Number.NaN);

/** The numbers of the calls whose answers are journaled. */
export const journaled = (events: readonly PublicEvent[]): Set<number> => {
  const replies = events.filter(({ type }) => type === 'ModelReplied');
  return new Set(replies.map(({ data }) => numberIn((data as { text: string }).text)));
};

/** What is wrong with a lost call: its process went on in its run, or was not one that was killed. */
export const faultOf = (
  lost: Call,
  calls: readonly Call[],
  isKilled: (key: string) => boolean,
): string | undefined => {
  if (!isKilled(lost.key))
    return `call ${lost.number} was lost by ${lost.key}, which was not killed`;
  const next = calls.find(
    (call) => call.number > lost.number && call.key === lost.key && runOf(call) === runOf(lost),
  );
  return next && `call ${lost.number} was lost, yet ${lost.key} went on with call ${next.number}`;
};
