/** An error as a server told it, before it is an error of the catalogue. */

export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  /** Undefined when the error came within an answer or a stream. */
  readonly status: number | undefined;
  readonly body: unknown;
  readonly header: (name: string) => string | undefined;

  constructor(
    status: number | undefined,
    body: unknown,
    header: (name: string) => string | undefined = () => undefined,
  ) {
    super(status === undefined ? 'an error within the answer' : `status ${status}`);
    this.status = status;
    this.body = body;
    this.header = header;
  }
}
