/** docs/http.md and the server say the same. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EclError, errorCatalogue, type ErrorCode } from '../../src/core/errors.ts';
import { statusOf } from '../../src/http/error-response.ts';
import { httpLimits } from '../../src/http/limits.ts';
import { readDocument } from './document.ts';
import { startServer } from './kit.ts';

const page = readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8');

/** Rows of the table below a heading, cell by cell. */
const rowsBelow = (heading: string): string[][] => {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))!;
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, ...cells]) => cells);
};

const sorted = (rows: readonly (readonly (string | undefined)[])[]): string[] =>
  rows.map((row) => row.join(' ')).toSorted();

test('every route stands on the page with the scope it takes, and no other', async () => {
  const server = await startServer();
  const { operations } = await readDocument(server);
  const served = operations.map(({ method, path, security }) => [
    `${method} ${path}`,
    security[0]?.token?.[0] ?? '',
  ]);
  const documented = rowsBelow('Routes').map(([route, scope]) => [route, scope]);
  expect(sorted(documented)).toEqual(sorted(served));
});

test('every error has the status that the page says', () => {
  const documented = new Map(rowsBelow('Errors').map(([what, status]) => [what!, Number(status)]));
  for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
    const expected = documented.get(code) ?? documented.get(errorCatalogue[code].kind);
    expect([code, statusOf(new EclError(code))]).toEqual([code, expected]);
  }
});

test('every limit stands on the page with its value, and no other', () => {
  const documented = rowsBelow('Limits').map(([name, value]) => [
    name,
    Number(value!.replaceAll(',', '')),
  ]);
  expect(Object.fromEntries(documented)).toEqual(httpLimits);
});
