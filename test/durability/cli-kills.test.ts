import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { critiqueReviseAnswer } from './built-in-answers.ts';
import { builtInFlows } from './flows.ts';
import { checkHistory } from './history.ts';
import { ModelServer } from './model-server.ts';
import { run, temporaryFolder } from './processes.ts';
import { isSoak, randomOf, seedOf } from '../random.ts';

const bin = fileURLToPath(new URL('../../dist/src/cli/bin.js', import.meta.url));
const killsMin = isSoak ? 200 : 20;

describe('the command line, killed at random moments', () => {
  it('ends its run by the same command, with exit code 0', { timeout: 600_000 }, async () => {
    const seed = seedOf();
    const random = randomOf(seed);
    const server = await ModelServer.start();
    server.answer = critiqueReviseAnswer;
    const cwd = join(temporaryFolder(), 'project');
    mkdirSync(cwd);
    const env = { ...server.env, ECL_MODEL: 'anthropic:claude-test' };
    let kills = 0;
    let ended = 0;
    try {
      for (let number = 1; kills < killsMin; number += 1) {
        const command = ['run', 'critique-revise', '--key', `k${number}`, '--json'];
        const start = () => run([bin, ...command, `topic=the sea of #k${number}#`], { env, cwd });
        // Each run is killed a few times: at a random call, and a random while later.
        for (let life = 0; life < 4; life += 1) {
          const child = start();
          const before = server.calls.length;
          const wanted = Math.floor(random() * 3);
          const delayMs = random() * (wanted === 0 ? 400 : 30);
          const kill = (): void => {
            setTimeout(() => child.kill(), delayMs);
          };
          server.onCall = () => {
            if (server.calls.length - before === wanted) kill();
            return true;
          };
          if (wanted === 0) kill();
          const { signal, code, stderr } = await child.exit;
          if (signal === 'SIGKILL') kills += 1;
          else expect(code, stderr).toBe(0);
        }
        server.onCall = () => true;
        const { code, stdout, stderr } = await start().exit;
        expect(code, stderr).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({ status: 'completed' });
        ended += 1;
      }
      const flows = await builtInFlows();
      const { ends } = await checkHistory(join(cwd, '.ecl'), flows, server.calls);
      expect(ends.size).toBe(ended);
    } catch (error) {
      const again = `ECL_SEED=${seed} npx vitest run test/durability/cli-kills.test.ts`;
      throw new Error(`seed=${seed} repro: ${again}`, { cause: error });
    } finally {
      await server.stop();
    }
  });
});
