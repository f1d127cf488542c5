import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createEcl } from 'ecl';
import { testFlows } from './flows.ts';
import { checkHistory } from './history.ts';
import { temporaryFolder, worker } from './processes.ts';

const env = { ECL_TEST_MODEL: 'bare' };
const logger = pino({ level: 'silent' });

describe('two processes on one store', () => {
  it(
    'are one writer and readers; the next writer starts at once when it is killed',
    { timeout: 120_000 },
    async () => {
      const folder = temporaryFolder();
      const store = `sqlite:${folder}`;
      const workflows = await testFlows();
      const holder = worker(['hold', folder], { env });
      await holder.line('ready');

      const second = await worker(['hold', folder], { env }).exit;
      expect(second.code).toBe(1);
      expect(second.stderr).toContain('store.locked');
      expect(second.stderr).toContain(`held by another process (pid ${holder.pid})`);
      await expect(createEcl({ store, model: 'rules', workflows, logger })).rejects.toMatchObject({
        code: 'store.locked',
        details: { pid: holder.pid },
      });

      const reader = await createEcl({ store, access: 'read', workflows, logger });
      const revisionNow = async (): Promise<number> =>
        (await (await reader.get('notes.held')).document()).revision;
      const seen: number[] = [];
      const stop = new AbortController();
      const following = (async () => {
        const query = { live: true, run: 'notes.held', signal: stop.signal } as const;
        for await (const { revision } of reader.events(query)) seen.push(revision);
      })();
      const first = await revisionNow();
      while (seen.length < first + 50) await new Promise((resolve) => setTimeout(resolve, 20));
      const { items } = await reader.list({ workflow: 'notes' });
      expect(items.map(({ id }) => id)).toEqual(['notes.held']);
      await expect((await reader.get('notes.held')).send({ type: 'note' })).rejects.toMatchObject({
        code: 'store.read-only',
      });
      stop.abort();
      await following;
      expect(seen).toEqual(seen.map((_, index) => index));
      await reader.close();

      holder.kill();
      await holder.exit;
      const next = worker(['hold', folder], { env });
      const before = performance.now();
      await next.line('ready');
      expect(performance.now() - before).toBeLessThan(10_000);
      next.kill();
      await next.exit;
      await checkHistory(folder, workflows, []);
    },
  );
});
