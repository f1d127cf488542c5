import { describe, expect, it } from 'vitest';
import { testFlows } from './flows.ts';
import { sweep, type When } from './sweep.ts';

const sweepEssay = async (when: When) =>
  sweep({ workflow: 'essay', when, workflows: await testFlows() });

const ended = (ends: ReadonlyMap<string, string>): number =>
  [...ends.values()].filter((type) => type === 'RunCompleted').length;

/** The start, seven replies, five results, one artifact. */
const appends = 14;
const calls = 7;

describe.concurrent(
  'a process killed by SIGKILL and started again by the same command',
  { timeout: 300_000 },
  () => {
    it('before each append: the run ends, and only the call whose reply was not stored is made again', async () => {
      const { kills, history } = await sweepEssay('before');
      expect(kills).toBe(appends);
      expect(ended(history.ends)).toBe(appends + 1);
      expect(history.repeated).toBe(calls);
    });

    it('after each append, before it is acknowledged: the run ends, and no call is made again', async () => {
      const { kills, history } = await sweepEssay('after');
      expect(kills).toBe(appends);
      expect(ended(history.ends)).toBe(appends + 1);
      expect(history.repeated).toBe(0);
    });

    it('during each model call: the run ends, and that call alone is made again, once', async () => {
      const { kills, history } = await sweepEssay('call');
      expect(kills).toBe(calls);
      expect(ended(history.ends)).toBe(calls + 1);
      expect(history.repeated).toBe(calls);
    });
  },
);
