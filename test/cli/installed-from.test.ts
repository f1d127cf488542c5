import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { installedFrom } from '../../src/cli/installed-from.ts';

const project = mkdtempSync(join(tmpdir(), 'ecl-installed-'));
afterAll(() => rmSync(project, { recursive: true, force: true }));

const modules = join(project, 'node_modules');
const from = (resolved: string): string | undefined => {
  mkdirSync(modules, { recursive: true });
  const packages = { 'node_modules/ecl': { version: '0.1.0', resolved } };
  writeFileSync(join(modules, '.package-lock.json'), JSON.stringify({ packages }));
  return installedFrom(join(modules, 'ecl'));
};

test('a project of `ecl init` asks for the archive or the repository that ECL came from', () => {
  expect(from('file:../ecl-0.1.0.tgz')).toBe(`file:${join(project, '../ecl-0.1.0.tgz')}`);
  expect(from('git+ssh://git@example.org/ecl.git#abc')).toBe(
    'git+ssh://git@example.org/ecl.git#abc',
  );
});

test('one from a registry, or of another package manager, is asked for by its version', () => {
  expect(from('https://registry.example.org/ecl/-/ecl-0.1.0.tgz')).toBeUndefined();
  rmSync(modules, { recursive: true });
  expect(installedFrom(join(modules, 'ecl'))).toBeUndefined();
});
