/** What ECL logs: one line a decision, and no word of what keys, prompts and answers hold. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino, { type Logger } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEcl, EclError, serial, step } from 'ecl';
import { z } from 'zod';
import { isFactType } from '../../src/core/journal-events.ts';
import type { RunState } from '../../src/core/run-state.ts';
import { createLogger } from '../../src/composition/logging.ts';
import { reportDecision } from '../../src/runtime/decision-report.ts';

const key = 'canary-key-0123456789abcdef';
const prompt = 'canary-prompt of what nobody else may read';
const answer = 'canary-answer that nobody else may read';
const canaries = /canary/;

const lines: string[] = [];
const destination = { write: (line: string) => void lines.push(line) };

const servers: Server[] = [];
afterEach(() => {
  lines.length = 0;
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close();
});
beforeEach(() => vi.stubEnv('ECL_OPENAI_API_KEY', key));

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
};

/** Refuses the first request with all that it was sent, answers the second with no object, and then as it should. */
const startProvider = async (): Promise<string> => {
  let asked = 0;
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      asked += 1;
      const quoted = `${body} ${JSON.stringify(request.headers)}`;
      if (asked === 1) {
        response.writeHead(503).end(JSON.stringify({ error: { message: quoted } }));
        return;
      }
      const content = asked < 4 ? `no object: ${answer}` : JSON.stringify({ text: answer });
      const choices = [
        { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' },
      ];
      const usage = { prompt_tokens: 3, completion_tokens: 2 };
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ id: '1', model: 'm', choices, usage }));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const careless = step({
  name: 'careless',
  input: z.object({ about: z.string() }),
  output: z.object({ text: z.string() }),
  retry: { delayMs: 1, delayMsMax: 2 },
  execute: async ({ input, model, log }) => {
    const given = await model.object(`${prompt}: ${input.about}`);
    log.warn(`asked with Bearer ${key}`, { headers: { Authorization: `Bearer ${key}` } });
    log.info('asked', {
      prompt,
      deep: [{ request: { 'x-api-key': key } }],
      about: { input, given },
    });
    return given;
  },
});
const again = step({
  name: 'again',
  input: careless.output,
  output: careless.output,
  execute: ({ input }) => input,
});
const flow = serial({ id: 'flow', version: '1.0.0', steps: [careless, again] });

const runOnce = async (logger: Logger): Promise<{ id: string; facts: string[] }> => {
  const model = `openai-compatible:${await startProvider()}#m`;
  const ecl = await createEcl({ store: 'memory:', model, logger, workflows: [flow] });
  const run = await ecl.spawn(flow, { key: 'a', input: { about: answer } });
  expect(await run.result()).toEqual({ text: answer });
  const facts: string[] = [];
  for await (const { type } of ecl.events({ run: run.id })) if (isFactType(type)) facts.push(type);
  await ecl.close();
  return { id: run.id, facts };
};

const written = (): Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the log', () => {
  test('has one line for each decision, with run, revision and correlation', async () => {
    const { id, facts } = await runOnce(createLogger({ level: 'info', destination }));
    const decisions = written().filter(({ fact }) => fact !== undefined);
    expect(decisions.map(({ fact }) => fact)).toEqual(facts);
    for (const line of decisions) expect(line).toMatchObject({ run: id, correlation: id });
    const revisions = decisions.map(({ revision }) => revision as number);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    expect(new Set(revisions).size).toBe(facts.length);
    expect(decisions.at(-1)).toMatchObject({ level: 30, ending: 'completed' });
    expect(decisions[0]).toMatchObject({ msg: 'decided on RunStarted', workflow: 'flow' });
  });

  test('holds no key, no header of access, no prompt and no answer, whatever a step or a provider says', async () => {
    await runOnce(createLogger({ level: 'trace', destination }));
    expect(lines.length).toBeGreaterThan(8);
    expect(lines.some((line) => line.includes('[redacted]'))).toBe(true);
    expect(lines.filter((line) => canaries.test(line))).toEqual([]);
  });

  test('of a logger that redacts nothing holds none either, but for what steps log themselves', async () => {
    await runOnce(pino({ level: 'trace' }, destination));
    const own = written().filter(({ step: of, fact }) => of === undefined || fact !== undefined);
    expect(own.length).toBeGreaterThan(6);
    expect(JSON.stringify(own)).not.toMatch(canaries);
  });

  test('is quiet at the default level', async () => {
    const { facts } = await runOnce(createLogger({ level: 'warn', destination }));
    expect(facts.length).toBeGreaterThan(4);
    expect(written().filter(({ level }) => (level as number) < 40)).toEqual([]);
    expect(written().filter(({ fact }) => fact !== undefined)).toEqual([]);
  });

  test('costs nothing that is not written: a decision is not even looked at', () => {
    const untouched = new Proxy({} as RunState, {
      get: (_, name) => {
        throw new Error(`${String(name)} was read`);
      },
    });
    const traced = { id: 'flow.a', trace: () => Promise.resolve(undefined) };
    const services = { logger: createLogger({ level: 'warn', destination }), telemetry: undefined };
    const events = [{ type: 'SignalDelivered', data: { id: 's' } }] as const;
    expect(() => reportDecision(services, { state: untouched, traced }, events)).not.toThrow();
    const loud = { ...services, logger: createLogger({ level: 'info', destination }) };
    expect(() => reportDecision(loud, { state: untouched, traced }, events)).toThrow('was read');
  });
});

describe('an error in the log', () => {
  const logged = (error: unknown): string => {
    createLogger({ level: 'warn', destination }).warn({ err: error }, 'it failed');
    return lines.at(-1)!;
  };

  test('keeps its code, and loses words that may be those of a model', () => {
    const cause = new Error(prompt);
    const error = new EclError('model.malformed', { model: 'm', reason: answer }, { cause });
    const line = logged(error);
    expect(line).not.toMatch(canaries);
    expect(JSON.parse(line)).toMatchObject({ err: { type: 'EclError', code: 'model.malformed' } });
    expect(line).toContain('logging.test.ts');
  });

  test('keeps its words where they tell what to do', () => {
    const error = new EclError('store.unavailable', { store: '.ecl', reason: 'the disk is full' });
    expect(logged(error)).toContain('the disk is full');
  });

  test.each([
    ['a key of the process', `at ${key}!`],
    ['a key of a provider', 'sk-ant-canary-0123456789abcdefgh'],
    ['a token of a server', 'ecl_canary0123456789abcdefghijklmnopq'],
    ['a header', 'Authorization: Bearer canary.0123456789'],
    ['credentials in an address', 'kurrentdb://admin:canary@127.0.0.1:2113'],
  ])('shows no secret: %s', (_, text) => {
    const line = logged(new Error(`connect ${text}`));
    expect(line).not.toMatch(canaries);
    expect(line).toContain('[redacted]');
  });
});
