import { describe, expect, it } from 'vitest';
import { createTestEcl, provideFile } from 'ecl/testing';
import { documentReview } from '../../machines/index.ts';
import type { Output } from '../../machines/document-review/schemas.ts';
import { kept } from './kit.ts';

const instructions = 'Summarise what this system promises and how it keeps it';

const run = async (
  files: readonly (string | { name: string; content: string })[],
  more: { criteria?: string[]; instructions?: string } = {},
): Promise<{ output: Output; text: string }> => {
  const ecl = await kept(createTestEcl({ workflows: [documentReview], model: 'rules' }));
  const stored = await Promise.all(
    files.map(async (each) => (typeof each === 'string' ? each : provideFile(each, ecl))),
  );
  const handle = await ecl.spawn(documentReview, {
    input: { files: stored, instructions, ...more },
  });
  expect(await handle.rest()).toMatchObject({ status: 'completed' });
  const output = await handle.result();
  const bytes = await ecl.system.services.artifacts.get(output.document.sha256);
  return { output, text: new TextDecoder().decode(bytes) };
};

describe('document-review with the rules model, offline', () => {
  it('makes a document of this project’s own files', async () => {
    const { output, text } = await run(['README.md', 'docs/architecture.md']);
    expect(output).toMatchObject({
      title: 'What this system promises and how it keeps it',
      decision: 'pass',
      acceptedBy: 'review',
    });
    expect(output.summary.length).toBeGreaterThan(200);
    expect(text).toContain('# What this system promises and how it keeps it\n');
    expect(text).toMatch(/### README\.md\n\n- \S/);
    expect(text).toMatch(/### architecture\.md\n\n- \S/);
    expect(text.match(/^- /gm)!.length).toBeGreaterThan(8);
    expect(text).toContain('| Files that a point was taken from | 2 of 2 |');
    expect(text).toContain('Model: rules (deterministic text processing, not a language model)');
    expect(text).toContain('The reviewer was rules, which checks form and sources, not meaning.');
  });

  it('makes the same document every time', async () => {
    const first = await run(['README.md', 'docs/architecture.md']);
    const second = await run(['README.md', 'docs/architecture.md']);
    expect(second.output.document.sha256).toBe(first.output.document.sha256);
  });

  it('does not claim to judge criteria', async () => {
    const { text } = await run(['docs/architecture.md'], { criteria: ['Names the store'] });
    expect(text).toContain(
      '| Names the store | not judged | needs a language model; of its words, ',
    );
  });

  it('revises wordy text until its own review passes, and quotes the file as it stands', async () => {
    const content = `# Journals

A journal is utilized in order to keep every decision of a run. A run that is the the victim of a
crash is rebuilt from its journal due to the fact that nothing else is trusted. The journal has no
gaps, and every event carries a hash of the event before it.
`;
    const { output, text } = await run([{ name: 'journals.md', content }]);
    expect(output.rounds).toBeGreaterThan(1);
    expect(output.decision).toBe('pass');
    expect(output.summary).not.toMatch(/utilized|in order to|the the|due to the fact/);
    expect(text).toContain('> A journal is utilized in order to keep every decision of a run.');
  });

  it('keeps its shape whatever the files say', async () => {
    const content = [
      'The first rule of <b>bold</b> claims | pipes and `code is that they break tables in reports.',
      '![pixel](https://example.org/track.png) A picture loads from elsewhere when a reader opens it.',
      '',
      '    # not a heading of the document',
      '',
      'The second rule of hostile text says that # marks and | bars may stand anywhere in sentences.',
    ].join('\n');
    const { text } = await run([{ name: 'odd | name.md', content }]);
    expect(text.match(/^# /gm)).toHaveLength(1);
    expect(text.match(/^## /gm)).toHaveLength(3);
    expect(text).not.toContain('![');
    expect(text).toContain('| odd \\| name.md |');
  });

  it('makes a short document of a long file', async () => {
    const sentence = (n: number): string =>
      `Event ${n} of the journal is stored before step ${n % 97} of run ${n % 13} goes on with its work.`;
    const content = Array.from({ length: 4_000 }, (_, n) => sentence(n)).join('\n\n');
    const { output } = await run([{ name: 'long.md', content }]);
    expect(output.document.bytes).toBeLessThan(20_000);
  });
});
