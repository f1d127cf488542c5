/** The finished document: what was found, how it was reviewed, and where it comes from. */
import type { ArtifactReference } from 'ecl';
import { oneLine, paragraphs, quotation, table } from './markdown.ts';
import type { Acceptance, Extraction, Point, Review } from './schemas.ts';
import { sourceNames } from './sources.ts';

export interface Finished {
  readonly title: string;
  readonly task: {
    readonly files: readonly ArtifactReference[];
    readonly instructions: string;
  };
  readonly extraction: Extraction;
  readonly review: Review;
  readonly acceptedBy: Acceptance;
  readonly round: number;
  readonly roundsMax: number;
  readonly model: { readonly id: string; readonly isLanguageModel: boolean };
}

/** A file name that every system takes. */
export const documentName = (title: string): string => {
  const words = title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  const name = (words ?? []).join('-').slice(0, 60).replace(/-+$/, '');
  return `${name === '' ? 'document' : name}.md`;
};

const sameText = (one: string, other: string): boolean =>
  one.replace(/\s+/g, ' ').trim() === other.replace(/\s+/g, ' ').trim();

/** A point that is its own quotation is not said twice. */
const pointText = ({ text, quote }: Point): string =>
  sameText(text, quote) ? `- ${oneLine(text)}` : `- ${oneLine(text)}\n\n  ${quotation(quote)}`;

const pointsOf = ({ extraction, task }: Finished): string =>
  sourceNames(task.files)
    .map((name) => {
      const own = extraction.points.filter(({ source }) => source === name);
      const text =
        own.length === 0 ? 'Nothing was taken from this file.' : own.map(pointText).join('\n');
      return `### ${oneLine(name)}\n\n${text}`;
    })
    .join('\n\n');

const outcomes: Readonly<Record<Acceptance, (review: Review) => string>> = {
  review: () => 'The review passed it.',
  person: ({ decision }) =>
    `A person accepted it; the last verdict of the review was "${decision}".`,
  replaced: ({ decision }) =>
    `A person gave this text in place of the last draft, of which the review said "${decision}". The review below is of that draft.`,
};

const modelLine = ({ id, isLanguageModel }: Finished['model']): string =>
  isLanguageModel ? id : `${id} (deterministic text processing, not a language model)`;

const reviewOf = ({ review, acceptedBy, round, roundsMax, model }: Finished): string => {
  const { criteria, quotes, files, feedback } = review;
  const parts = [
    `${outcomes[acceptedBy](review)} Rounds: ${round} of at most ${roundsMax}.`,
    ...(model.isLanguageModel
      ? []
      : [`The reviewer was ${model.id}, which checks form and sources, not meaning.`]),
    ...(criteria.length === 0
      ? []
      : [
          table(
            ['Criterion', 'Result', 'Comment'],
            criteria.map(({ criterion, result, comment }) => [criterion, result, comment]),
          ),
        ]),
    table(
      ['Check', 'Result'],
      [
        [
          'Quotations that stand in their file, word for word',
          `${quotes.found} of ${quotes.checked}`,
        ],
        ['Files that a point was taken from', `${files.used} of ${files.given}`],
      ],
    ),
    ...(feedback === '' ? [] : [`Feedback of the review:\n\n${feedbackLines(feedback)}`]),
  ];
  return parts.join('\n\n');
};

const feedbackLines = (feedback: string): string =>
  feedback
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => `> ${oneLine(line.replace(/^- /, ''))}`)
    .join('\n>\n');

const provenanceOf = ({ model, task }: Finished): string => {
  const names = sourceNames(task.files);
  return [
    `- Instructions: ${oneLine(task.instructions)}`,
    `- Model: ${modelLine(model)}`,
    '- Workflow: document-review 1.0.0',
    '',
    table(
      ['File', 'Bytes', 'sha-256'],
      task.files.map(({ bytes, sha256 }, index) => [names[index]!, bytes, sha256]),
    ),
  ].join('\n');
};

export const renderDocument = (finished: Finished): string => {
  const { title, extraction } = finished;
  return `# ${oneLine(title)}

${paragraphs(extraction.summary)}

## Key points

${pointsOf(finished)}

## Review

${reviewOf(finished)}

## Provenance

${provenanceOf(finished)}
`;
};
