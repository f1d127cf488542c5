import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createScriptedModel } from '../../../src/adapters/scripted/model.ts';
import type { Script } from '../../../src/adapters/scripted/script.ts';
import type { Model, ModelRequest } from '../../../src/ports/model.ts';
import { callOptions, collect, failureOf, modelContract } from '../../contracts/model-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'ecl-script-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ask = (content: string, rest: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [{ role: 'user', content }],
  ...rest,
});

const output = (name: string) => ({ output: { name, schema: { type: 'object' } } });

const textsOf = async (model: Model, ...requests: ModelRequest[]): Promise<string[]> => {
  const texts: string[] = [];
  for (const request of requests) {
    texts.push((await model.complete(request, callOptions())).text);
  }
  return texts;
};

modelContract({
  name: 'scripted',
  isLanguageModel: false,
  open: async () =>
    createScriptedModel([
      { match: { schema: 'summary' }, reply: { object: { summary: 'Deep.' } }, times: 'always' },
      { reply: { text: 'The sea is deep.' }, times: 'always' },
    ]),
});

describe('a scripted model', () => {
  test('answers with the first entry that matches and is not used up', async () => {
    const model = createScriptedModel([
      { match: { contains: 'sea' }, reply: { text: 'first' } },
      { match: { contains: 'sea' }, reply: { text: 'second' }, times: 2 },
      { match: { contains: 'se' }, reply: { text: 'last' }, times: 'always' },
    ]);
    const request = ask('the sea');
    expect(await textsOf(model, ...Array.from({ length: 6 }, () => request))).toEqual([
      'first',
      'second',
      'second',
      'last',
      'last',
      'last',
    ]);
  });

  test('matches the system text, every message, documents and the name of the output', async () => {
    const model = createScriptedModel([
      { match: { contains: 'in system' }, reply: { text: 'a' } },
      { match: { contains: 'in document' }, reply: { text: 'b' } },
      { match: { contains: 'report.txt' }, reply: { text: 'c' } },
      { match: { contains: 'x', schema: 'verdict' }, reply: { text: 'd' } },
    ]);
    const documents = [{ name: 'x', text: 'in document' }];
    const named = [{ name: 'report.txt', text: '' }];
    expect(
      await textsOf(
        model,
        ask('', { system: 'in system' }),
        ask('', { documents }),
        ask('', { documents: named }),
        ask('x', output('verdict')),
      ),
    ).toEqual(['a', 'b', 'c', 'd']);
    const other = model.complete(ask('x', output('other')), callOptions());
    expect(await failureOf(other)).toMatchObject({ code: 'model.rejected' });
  });

  test('says what was asked when nothing matches', async () => {
    const model = createScriptedModel([{ match: { schema: 'verdict' }, reply: { text: 'x' } }]);
    const request = ask(`Critique\nthis ${'text '.repeat(50)}`, output('verdict'));
    await model.complete(request, callOptions());
    const error = await failureOf(model.complete(request, callOptions()));
    expect(error).toMatchObject({ code: 'model.rejected', retryable: false });
    expect(error.message).toMatch(
      /no entry .* the output "verdict" for user message "Critique this text .*…" \(1 entries, 1 match/,
    );
  });

  test('brings objects, tool calls, usage, the model and the stop reason of the script', async () => {
    const usage = { inputTokens: 100, outputTokens: 5, cacheReadTokens: 7 };
    const model = createScriptedModel([
      { reply: { object: { a: [1] }, usage, model: 'claude-opus-5-5' } },
      {
        reply: {
          toolCalls: [
            { name: 'look', input: { q: 1 } },
            { id: 'x', name: 'go' },
          ],
        },
      },
      { reply: { text: 'cut', stopReason: 'max-tokens' } },
    ]);
    const replies = [];
    for (let count = 0; count < 3; count += 1) {
      replies.push(await model.complete(ask(''), callOptions()));
    }
    expect(replies).toEqual([
      { model: 'claude-opus-5-5', text: '{"a":[1]}', toolCalls: [], stopReason: 'end', usage },
      {
        model: 'scripted',
        text: '',
        toolCalls: [
          { id: 'call_1', name: 'look', input: { q: 1 } },
          { id: 'x', name: 'go', input: {} },
        ],
        stopReason: 'tool-use',
        usage: { inputTokens: 0, outputTokens: 0 },
      },
      {
        model: 'scripted',
        text: 'cut',
        toolCalls: [],
        stopReason: 'max-tokens',
        usage: { inputTokens: 0, outputTokens: 0 },
      },
    ]);
  });

  test('fails as the script says', async () => {
    const model = createScriptedModel([
      { error: { code: 'model.overloaded', retryAfterMs: 50 } },
      { error: { code: 'model.refused' } },
      { reply: { text: 'cut', stopReason: 'max-tokens' } },
    ]);
    expect(await failureOf(model.complete(ask(''), callOptions()))).toMatchObject({
      code: 'model.overloaded',
      details: { retryAfterMs: 50 },
    });
    expect(await failureOf(collect(model.stream(ask(''), callOptions())))).toMatchObject({
      code: 'model.refused',
    });
    const cut = model.complete(ask('', { ...output('x'), maxTokens: 9 }), callOptions());
    expect(await failureOf(cut)).toMatchObject({ code: 'model.truncated', details: { limit: 9 } });
  });

  test('waits as the script says, and no longer than the caller wants', async () => {
    const model = createScriptedModel([{ reply: { text: 'x' }, delayMs: 60_000 }]);
    const controller = new AbortController();
    const call = model.complete(ask(''), callOptions(controller.signal));
    setTimeout(() => controller.abort(), 10);
    expect(await failureOf(call)).toMatchObject({ code: 'model.aborted' });
    const short = createScriptedModel([{ reply: { text: 'x' }, delayMs: 30 }]);
    const started = performance.now();
    await short.complete(ask(''), callOptions());
    expect(performance.now() - started).toBeGreaterThan(25);
  });

  test('calls at the same time never share a use', async () => {
    const model = createScriptedModel([{ reply: { text: 'a' } }, { reply: { text: 'b' } }]);
    const calls = await Promise.all([
      model.complete(ask(''), callOptions()),
      model.complete(ask(''), callOptions()),
    ]);
    expect(calls.map((reply) => reply.text)).toEqual(['a', 'b']);
  });
});

describe('the script of a scripted model', () => {
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test.each([
    ['a.json', '[{"reply":{"text":"x"}}]'],
    ['b.json', '{"entries":[{"reply":{"text":"x"}}]}'],
    ['c.jsonl', '\n{"reply":{"text":"x"}}\n\n'],
    ['d.yaml', '- match: { contains: "" }\n  reply: { text: x }\n'],
  ])('is read from %s', async (name, text) => {
    const path = write(name, text);
    const model = createScriptedModel(path);
    expect(model.id).toBe(`scripted:${path}`);
    expect(await textsOf(model, ask(''))).toEqual(['x']);
  });

  test('that is not there is a missing file', async () => {
    const model = createScriptedModel(join(folder, 'none.json'));
    expect(await failureOf(model.complete(ask(''), callOptions()))).toMatchObject({
      code: 'input.file-missing',
      details: { reason: 'there is no such file (ENOENT)' },
    });
  });

  test.each([
    ['no JSON', '[{'],
    ['no list', '7'],
    ['an unknown key', '[{"reply":{"text":"x"},"time":2}]'],
    ['neither reply nor error', '[{"times":2}]'],
    ['both', '[{"reply":{},"error":{"code":"model.refused"}}]'],
    ['a code that does not exist', '[{"error":{"code":"model.tired"}}]'],
    ['a code of something else', '[{"error":{"code":"store.closed"}}]'],
  ])('with %s is invalid, and is read again once it was mended', async (name, text) => {
    const path = write(`${name}.json`, text);
    const model = createScriptedModel(path);
    const error = await failureOf(model.complete(ask(''), callOptions()));
    expect(error).toMatchObject({ code: 'input.invalid', kind: 'usage' });
    write(`${name}.json`, '[{"reply":{"text":"mended"}}]');
    expect(await textsOf(model, ask(''))).toEqual(['mended']);
  });

  test('given as a list is checked as well', async () => {
    const script = [{ reply: { txet: 'x' } }] as unknown as Script;
    const model = createScriptedModel(script);
    expect(await failureOf(model.complete(ask(''), callOptions()))).toMatchObject({
      code: 'input.invalid',
      details: { issues: expect.stringContaining('0.reply') },
    });
  });
});
