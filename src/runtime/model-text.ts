/**
 * Text that models are giving in this process, piece by piece, before their replies are recorded.
 *
 * 1. It is for eyes only: nothing of it is stored, and who does not listen misses it.
 * 2. A piece says to which execution of which attempt it belongs. When that attempt fails, or another execution of it
 *    begins, what came before is worth nothing: whoever shows it takes it back.
 */

export interface ModelText {
  readonly run: string;
  readonly invocation: string;
  readonly attempt: number;
  /** One life of the attempt: after a crash there is another. */
  readonly execution: string;
  /** Number of the call within the invocation, as `ModelReplied` records it. */
  readonly call: number;
  /** Characters of this call that came before. */
  readonly offset: number;
  readonly text: string;
}

export type ModelTextListener = (piece: ModelText) => void;

export class ModelTextFeed {
  readonly #listeners = new Set<ModelTextListener>();

  /** @returns a function that stops listening */
  listen(listener: ModelTextListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(piece: ModelText): void {
    for (const listener of this.#listeners) listener(piece);
  }
}

let executions = 0;

/**
 * Publishes what one execution of a step is given.
 *
 * @param of.writer the process that executes it
 * @returns for the number of a call, what takes its pieces in order
 */
export const textOfExecution = (
  feed: ModelTextFeed,
  { writer, ...of }: Pick<ModelText, 'run' | 'invocation' | 'attempt'> & { writer: string },
): ((call: number) => (text: string) => void) => {
  executions += 1;
  const execution = `${writer}/${executions}`;
  return (call) => {
    let offset = 0;
    return (text) => {
      feed.publish({ ...of, execution, call, offset, text });
      offset += text.length;
    };
  };
};
