import { expect, it } from 'vitest';
import { sourcesOf } from '../../../src/adapters/rules/support.ts';

const text = `Write <name and go on with the next paragraph.

The handler gets one parameter for each argument.

Here 3 > 2 holds, and an odd \` mark stands alone.
`;

it('a mark in one paragraph does not hide the words of another from a quotation', () => {
  const sources = sourcesOf([{ name: 'guide.md', text }]);
  expect(sources?.holds('The handler gets one parameter for each argument.')).toBe(true);
  expect(sources?.holds('The handler gets two parameters for each argument.')).toBe(false);
});
