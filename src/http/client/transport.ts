/**
 * Requests to a server: with the token, and with errors that are the same as in process.
 *
 * 1. A request that can be repeated without a second effect is repeated when the connection fails; no other is.
 */
import { EclError, errorCatalogue, type ErrorCode } from '../../core/errors.ts';
import { Problem } from '../contract/problem.ts';

export interface TransportOptions {
  /** Address of the server: `http://127.0.0.1:4680`. */
  readonly url: string;
  /** As `ecl token create` shows it; none for a server without. */
  readonly token?: string | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch;
}

export interface Asked {
  readonly method?: 'GET' | 'POST';
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly bytes?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** Whether it has one effect however often it is sent. @default for GET */
  readonly repeatable?: boolean;
}

const attemptsMax = 4;
const retryMsMin = 100;

/** Resolves after a time, or when the signal aborts. */
export const pause = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done);
    if (signal?.aborted === true) done();
  });

const isKnownCode = (code: string): code is ErrorCode => Object.hasOwn(errorCatalogue, code);

/** The error of an answer, as it was thrown in the server. */
const errorOf = async (answer: Response): Promise<EclError> => {
  const text = await answer.text().catch(() => '');
  let problem: unknown;
  try {
    problem = JSON.parse(text);
  } catch {
    problem = undefined;
  }
  const parsed = Problem.safeParse(problem);
  if (!parsed.success) {
    return new EclError('server.failed', { reason: `it answered ${answer.status}` });
  }
  const { code, detail, details, requestId } = parsed.data;
  if (isKnownCode(code)) return new EclError(code, details);
  return new EclError('server.failed', { reason: detail, code, requestId });
};

const reasonOf = (error: unknown): string => {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error) {
    return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  }
  return String(cause);
};

/** @throws EclError `usage.invalid` for what is no address, which no repetition could reach */
const addressOf = (url: string): string => {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol === 'http:' || protocol === 'https:') return url.replace(/\/+$/, '');
  const reason = `"${url}" is no address of a server; write it as http://127.0.0.1:4680`;
  throw new EclError('usage.invalid', { reason });
};

export class Transport {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;

  constructor({ url, token, fetch: given }: TransportOptions) {
    this.url = addressOf(url);
    this.#token = token;
    this.#fetch = given ?? fetch;
  }

  /** @throws EclError of the server, `server.unavailable`, `server.failed` */
  async ask(path: string, asked: Asked = {}): Promise<Response> {
    const answer = await this.#send(path, asked);
    if (answer.ok || answer.status === 304) return answer;
    throw await errorOf(answer);
  }

  /** The body of the answer as JSON. */
  async json(path: string, asked: Asked = {}): Promise<unknown> {
    const answer = await this.ask(path, asked);
    try {
      return await answer.json();
    } catch (error) {
      throw new EclError('server.failed', { reason: 'its answer is not JSON' }, { cause: error });
    }
  }

  async #send(path: string, asked: Asked): Promise<Response> {
    const { method = 'GET', signal } = asked;
    const repeatable = asked.repeatable ?? method === 'GET';
    const [url, init] = [this.#urlOf(path, asked.query), this.#initOf(method, asked)];
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#fetch(url, init);
      } catch (error) {
        if (signal?.aborted === true) throw error;
        if (!repeatable || attempt === attemptsMax) {
          const details = { url: this.url, reason: reasonOf(error) };
          throw new EclError('server.unavailable', details, { cause: error });
        }
        await pause(retryMsMin * 2 ** attempt, signal);
      }
    }
  }

  #initOf(method: string, { headers, json, bytes, signal }: Asked): RequestInit {
    const body = json === undefined ? bytes : JSON.stringify(json);
    return {
      method,
      headers: {
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  #urlOf(path: string, query: Asked['query'] = {}): string {
    const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const search = new URLSearchParams(given).toString();
    return `${this.url}${path}${search === '' ? '' : `?${search}`}`;
  }
}
