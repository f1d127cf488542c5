/** docs/cli.md and the program say the same. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command, Option } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { knownVariables } from '../../src/config.ts';

const page = readFileSync(
  join(dirname(fileURLToPath(import.meta.url)), '../../docs/cli.md'),
  'utf8',
);
const program = createProgram(() => {});

const usageOf = (command: Command): string => {
  const args = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return ['ecl', command.name(), ...args].join(' ');
};

/** What stands below each heading of a command. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section): [string, string] => [
      /^`([^`]+)`/.exec(section)![1]!,
      section.split(/^## /m)[0]!,
    ]),
);

const flagsOf = (options: readonly Option[]): string[] =>
  options.map(({ flags }) => flags).toSorted();
const documentedFlags = (text: string): string[] =>
  Array.from(text.matchAll(/^\| `(-[^`]+)` +\|/gm), (match) => match[1]!).toSorted();

test('every command stands on the page with its arguments, and no other', () => {
  expect([...sections.keys()].toSorted()).toEqual(program.commands.map(usageOf).toSorted());
});

test.each(program.commands.map((command): [string, Command] => [command.name(), command]))(
  'the options of `ecl %s` are those on the page',
  (_, command) => {
    expect(documentedFlags(sections.get(usageOf(command))!)).toEqual(flagsOf(command.options));
  },
);

test('the options of all commands are those on the page', () => {
  const common = page.slice(0, page.indexOf('## Commands'));
  expect(documentedFlags(common)).toEqual(flagsOf(program.options));
});

test('every variable stands on the page, and no other', () => {
  const documented = Array.from(page.matchAll(/^\| `([A-Z][A-Z_]+)` +\|/gm), (match) => match[1]!);
  expect(documented.toSorted()).toEqual(knownVariables.toSorted());
});

test('every command has an example in its help', () => {
  for (const command of program.commands) {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    expect(help).toContain(`ecl ${command.name()}`);
    expect(help).toMatch(/^Examples:/m);
  }
});
