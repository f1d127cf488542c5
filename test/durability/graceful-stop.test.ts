import { describe, expect, it } from 'vitest';
import { testFlows } from './flows.ts';
import { checkHistory } from './history.ts';
import { ModelServer } from './model-server.ts';
import { temporaryFolder, worker } from './processes.ts';

const count = 50;

describe('a process that is asked to stop while fifty calls are under way', () => {
  it(
    'ends within ten seconds with code 0; the next one loses nothing',
    { timeout: 300_000 },
    async () => {
      const server = await ModelServer.start();
      const folder = temporaryFolder();
      const env = { ...server.env, ECL_TEST_MODEL: 'bare' };
      try {
        // Every other first call is answered within the grace, the others never.
        let isStopping = false;
        server.latencyMs = () => 500;
        server.onCall = ({ number }) => !isStopping && number % 2 === 0;
        const first = worker(['many', folder, String(count)], { env });
        await first.line('ready');
        while (server.calls.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
        isStopping = true;
        const before = performance.now();
        first.kill('SIGTERM');
        const { code, stderr, lines } = await first.exit;
        expect(code, stderr).toBe(0);
        expect(lines.at(-1)).toBe('closed');
        expect(performance.now() - before).toBeLessThan(10_000);

        server.onCall = () => true;
        server.latencyMs = () => 0;
        const last = await worker(['finish', folder], { env }).exit;
        expect(last.code, last.stderr).toBe(0);
        const { ends, repeated } = await checkHistory(folder, await testFlows(), server.calls);
        expect([...ends.values()].filter((type) => type === 'RunCompleted')).toHaveLength(count);
        expect(repeated).toBeGreaterThan(0);
        expect(repeated).toBeLessThanOrEqual(count);
      } finally {
        await server.stop();
      }
    },
  );
});
