/** The files of a run as texts, each under a name of its own. */
import { TerminalError, type ArtifactReference, type ModelDocument, type StepArtifacts } from 'ecl';

/** Names that the requests use for documents of their own. */
const takenNames: readonly string[] = ['draft', 'feedback'];

/** Two files of one name, from two folders, are told apart by a number. */
export const sourceNames = (files: readonly ArtifactReference[]): string[] => {
  const names: string[] = [];
  for (const { name } of files) {
    const taken = (wanted: string): boolean =>
      names.includes(wanted) || takenNames.includes(wanted.toLowerCase());
    let own = name;
    for (let n = 2; taken(own); n += 1) own = `${name} (${n})`;
    names.push(own);
  }
  return names;
};

const asText = (name: string, bytes: Uint8Array): string => {
  const refuse = (reason: string): never => {
    throw new TerminalError(
      `${name} is no text file (${reason}); document-review reads UTF-8 text. Convert it first, a PDF for example with pdftotext.`,
    );
  };
  if (bytes.includes(0)) refuse('it holds zero bytes');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('it is not UTF-8');
  }
};

/** @throws TerminalError for a file that is no text, and when there is nothing to read */
export const readSources = async (
  files: readonly ArtifactReference[],
  artifacts: StepArtifacts,
): Promise<ModelDocument[]> => {
  const names = sourceNames(files);
  const documents = await Promise.all(
    files.map(async (file, index): Promise<ModelDocument> => {
      const name = names[index]!;
      return { name, text: asText(name, await artifacts.read(file)), mediaType: file.mediaType };
    }),
  );
  if (documents.every(({ text }) => text.trim() === '')) {
    throw new TerminalError(`there is nothing to read in ${names.join(', ')}`);
  }
  return documents;
};
