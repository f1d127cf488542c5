/** The files of a new project: a serial flow with rounds, a test with a scripted model, and how to go on. */

export interface ProjectOptions {
  readonly name: string;
  /** What package.json asks of npm for this package. */
  readonly ecl: string;
  readonly xstate: string;
  readonly zod: string;
  readonly vitest: string;
}

const packageJson = ({ name, ecl, xstate, zod, vitest }: ProjectOptions): string =>
  `${JSON.stringify(
    {
      name,
      private: true,
      type: 'module',
      scripts: { start: 'ecl run essay topic="the sea"', test: 'vitest run' },
      dependencies: { ecl, xstate, zod },
      devDependencies: { vitest },
    },
    null,
    2,
  )}\n`;

const config = `# Where ECL finds the workflows of this project. \`ecl doctor\` shows every setting and where it comes from.
machines:
  - machines
`;

const steps = `import { step, verdict } from 'ecl';
import { z } from 'zod';

/** Writes the first draft; with feedback, the next one. */
export const draft = step({
  name: 'draft',
  input: z.object({ topic: z.string().min(1) }),
  output: z.object({ text: z.string().max(2000) }),
  execute: ({ input, model }) => model.object(\`Write about \${input.topic} in under 2000 characters.\`),
  revise: ({ previous, feedback, model }) =>
    model.object(\`Revise this text.\\n\${previous.text}\\n\\nCritique:\\n\${feedback}\`),
});

/** Says whether the draft passes, and if not, why. */
export const critique = step({
  name: 'critique',
  input: draft.output,
  output: verdict(),
  execute: ({ input, model }) => model.object(\`Critique this text.\\n\${input.text}\`),
});
`;

const machine = `import { rounds, serial } from 'ecl';
import { critique, draft } from './steps.ts';

/** At most three drafts; not satisfied after that, it asks you. */
export default serial({
  id: 'essay',
  version: '1.0.0',
  description: 'Writes about a topic, criticises the draft and revises it.',
  steps: [draft, rounds({ review: critique, of: draft, max: 3, onExhausted: 'ask' })],
});
`;

const test = `import { createTestEcl } from 'ecl/testing';
import { expect, test } from 'vitest';
import essay from './machine.ts';

test('a draft that is sent back once is revised and accepted', async () => {
  const ecl = await createTestEcl({
    workflows: [essay],
    model: [
      { reply: { object: { text: 'The sea is big.' } } },
      { reply: { object: { decision: 'revise', feedback: 'Say how big.' } } },
      { reply: { object: { text: 'The sea covers 71 % of the Earth.' } } },
      { reply: { object: { decision: 'pass', feedback: '' } } },
    ],
  });
  const run = await ecl.spawn(essay, { input: { topic: 'the sea' } });
  expect(await run.result()).toEqual({ text: 'The sea covers 71 % of the Earth.' });
  await ecl.close();
});
`;

const tsconfig = `${JSON.stringify(
  {
    compilerOptions: {
      target: 'ES2023',
      module: 'NodeNext',
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
    },
    include: ['machines'],
  },
  null,
  2,
)}\n`;

const readme = ({ name }: ProjectOptions): string => `# ${name}

A workflow for ECL: it drafts, criticises and revises, with a bound, and survives every crash.

\`\`\`sh
npm install
npm test                                # no model is called: the answers stand in the test
npx ecl run essay topic="the sea"       # offline by rules; with ANTHROPIC_API_KEY by Claude
npx ecl list                            # what ran
npx ecl export essay --format svg > essay.svg   # the machine as a drawing
\`\`\`

The workflow is \`machines/essay/machine.ts\`, what it does is \`machines/essay/steps.ts\`. Run the same command twice and it is the
same run; kill it at any moment and the command goes on where it was.
`;

const gitignore = 'node_modules\n.ecl\n';

/** Paths and contents, in the order in which they are written. */
export const projectFiles = (options: ProjectOptions): readonly (readonly [string, string])[] => [
  ['package.json', packageJson(options)],
  ['ecl.yaml', config],
  ['tsconfig.json', tsconfig],
  ['.gitignore', gitignore],
  ['README.md', readme(options)],
  ['machines/essay/machine.ts', machine],
  ['machines/essay/steps.ts', steps],
  ['machines/essay/machine.test.ts', test],
];
