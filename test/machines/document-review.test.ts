import { describe, expect, it } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { isEclError, type Ecl, type Model, type RunHandle } from 'ecl';
import {
  createTestEcl,
  expectReplay,
  provideFile,
  provideModel,
  simulateRestart,
  SimulatedClock,
  type Script,
} from 'ecl/testing';
import { documentReview } from '../../machines/index.ts';
import type { Output } from '../../machines/document-review/schemas.ts';
import { crashEverywhere, eventsOf, kept, speaking, SteppedModel, until } from './kit.ts';

const seaText = '# The sea\n\nThe sea is **salty**. It covers 71% of the Earth.\n';
const moonText = '# The moon\n\nThe moon pulls the [tides](https://example.org/tides).\n';

const extraction = (points: object[] = []) => ({
  title: 'Sea and moon',
  summary: 'The sea is salty, and the moon moves it.',
  points: [
    { text: 'Sea water holds salt.', quote: 'The sea is salty.', source: 'sea.md' },
    { text: 'The moon makes tides.', quote: 'The moon pulls the tides.', source: 'moon.md' },
    ...points,
  ],
});
const extracted = (object: object = extraction()): Script[number] => ({
  match: { schema: 'extract' },
  reply: { object },
});
const reviewed = (decision: string, feedback = '', criteria: object[] = []): Script[number] => ({
  match: { schema: 'review' },
  reply: { object: { decision, feedback, criteria } },
});
const met = { number: 1, met: true, comment: 'It says so.' };
const never = (rounds: number): Script =>
  Array.from({ length: rounds }, (_, index) => [
    extracted({ ...extraction(), title: `Draft ${index + 1}` }),
    reviewed('revise', `note ${index + 1}`, [met]),
  ]).flat();

interface Started {
  readonly ecl: Ecl;
  readonly run: RunHandle<Output>;
  readonly clock: SimulatedClock;
}

const start = async (
  model: Model | string,
  options: {
    input?: Partial<{ criteria: string[]; title: string; instructions: string }>;
    contents?: readonly { name: string; content: string | Uint8Array }[];
    crashAfter?: number;
  } = {},
): Promise<Started> => {
  const { input = {}, contents, ...given } = options;
  const clock = new SimulatedClock();
  const ecl = await kept(createTestEcl({ workflows: [documentReview], model, clock, ...given }));
  const files = await Promise.all(
    (
      contents ?? [
        { name: 'sea.md', content: seaText },
        { name: 'moon.md', content: moonText },
      ]
    ).map((file) => provideFile(file, ecl)),
  );
  const run = await ecl.spawn(documentReview, {
    key: 'one',
    input: { files, instructions: 'Summarise what moves the sea.', ...input },
  });
  return { ecl, run, clock };
};

const documentOf = async (ecl: Ecl, { document }: Output): Promise<string> =>
  new TextDecoder().decode(await ecl.system.services.artifacts.get(document.sha256));

const criteria = ['Names the moon', 'Names the wind'];

describe('document-review', () => {
  it('writes the reviewed document as an artifact, with sources, criteria and provenance', async () => {
    const model = speaking([
      extracted(),
      reviewed('pass', '', [met, { number: 2, met: true, comment: 'In a | way.' }]),
    ]);
    const { ecl, run } = await start(model, { input: { criteria } });
    const output = await run.result();
    expect(output).toMatchObject({
      title: 'Sea and moon',
      decision: 'pass',
      acceptedBy: 'review',
      rounds: 1,
      document: { name: 'sea-and-moon.md', mediaType: 'text/markdown' },
    });
    const { artifacts } = await run.document();
    expect(artifacts.map(({ sha256 }) => sha256)).toEqual([output.document.sha256]);
    expect(await documentOf(ecl, output)).toBe(`# Sea and moon

The sea is salty, and the moon moves it.

## Key points

### sea.md

- Sea water holds salt.

  > The sea is salty.

### moon.md

- The moon makes tides.

  > The moon pulls the tides.

## Review

The review passed it. Rounds: 1 of at most 3.

| Criterion | Result | Comment |
|---|---|---|
| Names the moon | met | It says so. |
| Names the wind | met | In a \\| way. |

| Check | Result |
|---|---|
| Quotations that stand in their file, word for word | 2 of 2 |
| Files that a point was taken from | 2 of 2 |

## Provenance

- Instructions: Summarise what moves the sea.
- Model: scripted
- Workflow: document-review 1.0.0

| File | Bytes | sha-256 |
|---|---|---|
| sea.md | 61 | ${(await provideFile({ name: 'sea.md', content: seaText })).sha256} |
| moon.md | 67 | ${(await provideFile({ name: 'moon.md', content: moonText })).sha256} |
`);
    await expectReplay(ecl, run.id);
  });

  it('gives the files to the model as documents, apart from the instructions', async () => {
    const model = speaking([
      extracted(),
      reviewed('revise', 'Say why.'),
      extracted(),
      reviewed('pass'),
    ]);
    const { run } = await start(model, { input: { criteria: ['Names the moon'] } });
    await run.result();
    const [first, review, revision] = model.requests;
    const names = (documents: readonly { name: string }[] = []): string[] =>
      documents.map(({ name }) => name);
    expect(names(first?.documents)).toEqual(['sea.md', 'moon.md']);
    expect(names(review?.documents)).toEqual(['draft', 'sea.md', 'moon.md']);
    expect(names(revision?.documents)).toEqual(['draft', 'feedback', 'sea.md', 'moon.md']);
    expect(revision?.documents?.[1]?.text).toContain('Say why.');
    for (const { messages } of model.requests) {
      expect(messages[0]?.content).toContain('Summarise what moves the sea.');
      expect(messages[0]?.content).toContain('1. Names the moon');
      expect(messages[0]?.content).not.toContain('salty');
    }
  });

  it('sends back what a criterion lacks and what stands in no file, though the model would pass it', async () => {
    const invented = { text: 'Whales sing.', quote: 'Whales sing at night.', source: 'sea.md' };
    const model = speaking([
      extracted(extraction([invented])),
      reviewed('pass', 'Fine.', [{ number: 1, met: false, comment: 'Only in passing.' }]),
      extracted(),
      reviewed('pass', '', [met]),
    ]);
    const { run } = await start(model, { input: { criteria: ['Names the moon'] } });
    expect(await run.result()).toMatchObject({ rounds: 2, decision: 'pass' });
    expect(model.requests[2]?.documents?.[1]?.text).toBe(
      [
        'Fine.',
        'Not met: Names the moon (Only in passing.)',
        'The quotation "Whales sing at night." does not stand in sea.md word for word.',
      ].join('\n'),
    );
  });

  it('ends after exactly three extractions and three reviews when none satisfies', async () => {
    const model = speaking(never(10));
    const { ecl, run } = await start(model);
    expect(await run.rest()).toMatchObject({ status: 'waiting', state: 'exhausted' });
    expect(model.requests).toHaveLength(6);
    expect(await eventsOf(ecl, run.id, 'ArtifactStored')).toEqual([]);
  });

  it('uses the title that it is given', async () => {
    const { ecl, run } = await start(speaking([extracted(), reviewed('pass')]), {
      input: { title: 'Tides & <script>alert(1)</script>' },
    });
    const output = await run.result();
    expect(output.document.name).toBe('tides-script-alert-1-script.md');
    expect(await documentOf(ecl, output)).toMatch(/^# Tides & &lt;script>/);
  });

  it('tells files of one name apart', async () => {
    const contents = [
      { name: 'README.md', content: 'One tells of the sea.' },
      { name: 'README.md', content: 'Two tells of the moon.' },
      { name: 'draft', content: 'Three is called as the draft is.' },
    ];
    const point = { text: 'One.', quote: 'Two tells of the moon.', source: 'README.md (2)' };
    const model = speaking([extracted({ ...extraction(), points: [point] }), reviewed('pass')]);
    const { ecl, run } = await start(model, { contents });
    const text = await documentOf(ecl, await run.result());
    expect(text).toContain('### README.md (2)\n\n- One.');
    expect(text).toContain('### draft (2)\n\nNothing was taken from this file.');
    expect(text).toContain('| Files that a point was taken from | 1 of 3 |');
  });
});

describe('document-review at its gate', () => {
  const atGate = async () => {
    const model = speaking(never(10));
    const started = await start(model);
    await started.run.rest();
    return { ...started, model };
  };

  it('writes the last draft when a person accepts it, and says so', async () => {
    const { ecl, run, model } = await atGate();
    await run.resume({ accept: true });
    const output = await run.result();
    expect(output).toMatchObject({ title: 'Draft 3', acceptedBy: 'person', decision: 'revise' });
    expect(await documentOf(ecl, output)).toContain(
      'A person accepted it; the last verdict of the review was "revise". Rounds: 3 of at most 3.',
    );
    expect(await documentOf(ecl, output)).toContain('> note 3');
    expect(model.requests).toHaveLength(6);
  });

  it('runs exactly as many more rounds as a person allows', async () => {
    const { run, model } = await atGate();
    await run.resume({ moreRounds: 1 });
    expect(await run.rest()).toMatchObject({ state: 'exhausted' });
    expect(model.requests).toHaveLength(8);
  });

  it('writes what a person gives in place of the draft, and refuses what is no draft', async () => {
    const { ecl, run } = await atGate();
    const error: unknown = await run
      .resume({ output: { title: 'Mine', summary: 'Short.' } })
      .catch((reason: unknown) => reason);
    expect(isEclError(error, 'input.invalid')).toBe(true);
    expect(String(error)).toContain('points: ');
    await run.resume({ output: { ...extraction(), title: 'Mine' } });
    const output = await run.result();
    expect(output).toMatchObject({ title: 'Mine', acceptedBy: 'replaced' });
    expect(await documentOf(ecl, output)).toContain('A person gave this text');
  });
});

describe('document-review through crashes', () => {
  it('makes no model call twice with a restart after every answer', async () => {
    const model = new SteppedModel(speaking(never(3)));
    const started = await start(model);
    let { ecl } = started;
    const { id } = started.run;
    for (let call = 1; call <= 6; call += 1) {
      await model.release();
      await until(ecl, id, { type: 'ModelReplied', count: call });
      ecl = await kept(simulateRestart(ecl));
      await ecl.get(id);
    }
    await (await ecl.get(id)).rest();
    ecl = await kept(simulateRestart(ecl));
    await (await ecl.get(id)).resume({ accept: true });
    expect(await (await ecl.get(id)).result()).toMatchObject({ title: 'Draft 3' });
    expect(model.answered).toHaveLength(6);
    expect(await eventsOf(ecl, id, 'ArtifactStored')).toHaveLength(1);
    await expectReplay(ecl, id);
  });

  it('comes to the same document, written once, when the process dies at every place', async () => {
    const always = (entry: Script[number]): Script[number] => ({ ...entry, times: 'always' });
    const model = speaking([
      always({
        ...extracted({ ...extraction(), title: 'Second' }),
        match: { contains: 'Say why' },
      }),
      always({ match: { schema: 'review', contains: 'Second' }, reply: reviewed('pass').reply! }),
      always(extracted()),
      always(reviewed('revise', 'Say why')),
    ]);
    const { ecl, run } = await start(model, { crashAfter: 2 });
    const { handle, lives, ecl: last } = await crashEverywhere(ecl, run.id);
    expect(lives).toBeGreaterThan(8);
    expect(await handle.result()).toMatchObject({ title: 'Second', rounds: 2 });
    expect(await eventsOf(last, run.id, 'ModelReplied')).toHaveLength(4);
    expect(await eventsOf(last, run.id, 'ArtifactStored')).toHaveLength(1);
    await expectReplay(last, run.id);
  });
});

describe('document-review with a model that misbehaves', () => {
  it('sends the issues back once, a file that there is not among them', async () => {
    const elsewhere = { text: 'No.', quote: 'No.', source: 'sky.md' };
    const model = speaking([extracted(extraction([elsewhere])), extracted(), reviewed('pass')]);
    const { run } = await start(model);
    expect(await run.result()).toMatchObject({ rounds: 1 });
    expect(model.requests[1]?.messages.at(-1)?.content).toContain(
      'points.2.source: "sky.md" is none of the files: sea.md, moon.md',
    );
  });

  it('fails after two attempts whose answers do not fit, four calls in all', async () => {
    const model = speaking([{ reply: { object: { title: 'nothing else' } }, times: 'always' }]);
    const { run, clock } = await start(model);
    await clock.advance(60_000);
    expect(await run.rest()).toMatchObject({
      status: 'failed',
      error: { code: 'step.output-invalid' },
    });
    expect(model.requests).toHaveLength(4);
  });

  it('fails at once when the model refuses', async () => {
    const model = speaking([{ error: { code: 'model.refused' }, times: 'always' }]);
    const { run, clock } = await start(model);
    await clock.advance(600_000);
    expect(await run.rest()).toMatchObject({ status: 'failed', error: { code: 'model.refused' } });
    expect(model.requests).toHaveLength(1);
  });

  it('shows a criterion that the model did not answer as not judged', async () => {
    const model = speaking([extracted(), reviewed('pass', '', [met])]);
    const { ecl, run } = await start(model, { input: { criteria } });
    expect(await documentOf(ecl, await run.result())).toContain(
      '| Names the wind | not judged | no answer |',
    );
  });
});

describe('document-review with files that it cannot read', () => {
  const failing = async (content: string | Uint8Array): Promise<string> => {
    const contents = [{ name: 'file.bin', content }];
    const { run } = await start(speaking([]), { contents });
    const { status, error } = await run.rest();
    expect(status).toBe('failed');
    return error?.message ?? '';
  };

  it('fails, before any model call, on what is no text', async () => {
    expect(await failing(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0]))).toBe(
      'file.bin is no text file (it holds zero bytes); document-review reads UTF-8 text. Convert it first, a PDF for example with pdftotext.',
    );
    expect(await failing(new Uint8Array([0xff, 0xfe, 0x41]))).toContain('it is not UTF-8');
  });

  it('fails when there is nothing to read', async () => {
    expect(await failing(' \n')).toBe('there is nothing to read in file.bin');
  });

  it('refuses at the door what is too much, and says how much that is', async () => {
    const big = { name: 'big.txt', content: 'word '.repeat(110_000) };
    await expect(start(speaking([]), { contents: [big] })).rejects.toThrow(
      'files: together they have 550000 bytes; document-review reads up to 524288. Leave files out or split them',
    );
  });

  it('refuses a run without files or instructions, and a file that is not there', async () => {
    const { ecl } = await start(speaking([extracted(), reviewed('pass')]));
    const spawn = (files: string[], instructions: string) =>
      ecl.spawn(documentReview, { input: { files, instructions } });
    await expect(spawn([], 'Summarise.')).rejects.toThrow('files');
    await expect(spawn(['nowhere.md'], 'Summarise.')).rejects.toThrow('nowhere.md');
    await expect(spawn(['README.md'], ' ')).rejects.toThrow('instructions');
  });
});

describe('document-review under plain createActor', () => {
  it('comes to the same document', async () => {
    const script = [extracted(), reviewed('pass')];
    const { run } = await start(speaking(script));
    const restore = provideModel(speaking(script));
    const input = {
      files: [
        await provideFile({ name: 'sea.md', content: seaText }),
        await provideFile({ name: 'moon.md', content: moonText }),
      ],
      instructions: 'Summarise what moves the sea.',
      criteria: [],
    };
    const actor = createActor(documentReview.machine, { input }).start();
    expect(await toPromise(actor)).toEqual(await run.result());
    restore();
  });
});
