import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadConfiguration } from '../src/config.ts';

let folder: string;
const file = (): string => join(folder, 'ecl.yaml');
const load = (yaml: string, flags: object = {}) => {
  writeFileSync(file(), yaml);
  return loadConfiguration({ config: file(), ...flags });
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ecl-config-'));
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('ECL_') || name === 'ANTHROPIC_API_KEY') vi.stubEnv(name, undefined);
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('layers', () => {
  test('without anything the defaults hold', async () => {
    const { values, provenance, warnings } = await loadConfiguration();
    expect(values).toEqual({ store: 'sqlite:.ecl', machines: [] });
    expect(provenance[0]).toEqual({ key: 'store', value: 'sqlite:.ecl', source: 'default' });
    expect(warnings).toEqual([]);
  });

  test('the file goes before the defaults, a variable before the file, a flag before both', async () => {
    const yaml = 'model: rules\nlogLevel: info\nbudget:\n  tokens: 5\n  calls: 7\n';
    vi.stubEnv('ECL_MODEL', 'anthropic:x');
    vi.stubEnv('ECL_BUDGET_TOKENS', '9');
    vi.stubEnv('ECL_BUDGET_WALL_TIME_MS', '3600000');
    vi.stubEnv('ECL_STORE', 'memory:');
    const { values, provenance } = await load(yaml, { store: 'sqlite:elsewhere' });
    expect(values).toMatchObject({
      store: 'sqlite:elsewhere',
      model: 'anthropic:x',
      logLevel: 'info',
      budget: { tokens: 9, calls: 7, wallTimeMs: 3_600_000 },
    });
    const sources = Object.fromEntries(provenance.map(({ key, source }) => [key, source]));
    expect(sources).toMatchObject({
      store: '--store',
      model: 'ECL_MODEL',
      logLevel: `${file()}:2:1`,
      'budget.tokens': 'ECL_BUDGET_TOKENS',
      'budget.calls': `${file()}:5:3`,
    });
  });

  test("relative paths in the file are meant from the file's folder", async () => {
    const { values } = await load('store: sqlite:data\nmachines: [flows, /opt/flows]\n');
    expect(values.store).toBe(`sqlite:${join(folder, 'data')}`);
    expect(values.machines).toEqual([join(folder, 'flows'), '/opt/flows']);
  });

  test('a secret is known to be there, and never shown', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'sk-secret-value');
    const loaded = await loadConfiguration();
    expect(JSON.stringify(loaded)).not.toContain('secret-value');
    expect(loaded.provenance).toContainEqual({
      key: 'ANTHROPIC_API_KEY',
      value: '(set)',
      source: 'environment',
    });
  });
});

describe('mistakes', () => {
  test.each([
    [
      'an unknown key',
      'store: sqlite:x\nstroe: x\n',
      /ecl\.yaml:2:1: unknown key "stroe"; .*"store"/,
    ],
    [
      'an unknown key two levels below',
      'dailyBudget:\n  all:\n    token: 1\n',
      /ecl\.yaml:3:5: .*"tokens"/,
    ],
    ['an unknown key below another', 'budget:\n  token: 1\n', /ecl\.yaml:2:3: .*"tokens"/],
    ['a value of another type', 'machines: x\n', /ecl\.yaml:1:1: machines: .*array/],
    ['a value below another', 'anthropic:\n  baseUrl: nope\n', /ecl\.yaml:2:3: anthropic\.baseUrl/],
    ['a key that stands there twice', 'store: a\nstore: b\n', /ecl\.yaml:2:1: .*unique/],
    ['what is no YAML', 'a: [\nb', /ecl\.yaml:2:1/],
    ['a list where keys belong', '- a\n', /ecl\.yaml: .*object/],
  ])('%s is named with line and column', async (_, yaml, message) => {
    await expect(load(yaml)).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringMatching(message) as string,
    });
  });

  test('a variable with a wrong value is named', async () => {
    vi.stubEnv('ECL_BUDGET_USD', 'much');
    await expect(loadConfiguration()).rejects.toThrow(/ECL_BUDGET_USD: budget\.usd: .*number/);
  });

  test('an unknown ECL_ variable is a warning that names the nearest', async () => {
    vi.stubEnv('ECL_STOER', 'memory:');
    const { warnings } = await loadConfiguration();
    expect(warnings).toEqual([expect.stringMatching(/ECL_STOER.*"ECL_STORE"/)]);
  });

  test('a file that is named and not there is an error; ecl.yaml may be missing', async () => {
    await expect(loadConfiguration({ config: file() })).rejects.toMatchObject({
      code: 'input.file-missing',
    });
  });

  test('an empty file is no configuration', async () => {
    expect((await load('')).values).toMatchObject({ store: 'sqlite:.ecl' });
  });
});
