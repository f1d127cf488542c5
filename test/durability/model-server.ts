/**
 * A provider in this process, outside of those that are killed: it speaks the Messages API and keeps a ledger of every
 * call. Each answer carries the number of its call, so a journal shows which call each of its replies came from.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Call {
  /** Counts all calls from 1; stands in the answer as `[n]`. */
  readonly number: number;
  /** The whole body: the same request, the same text. */
  readonly body: string;
  /** The last words of the user. */
  readonly question: string;
  /** The API key that came with it, which may tell processes apart. */
  readonly key: string;
}

/** Tokens, as the Messages API reports them. */
export interface Billed {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
}

interface Body {
  readonly messages: { content: string | { type: string; text?: string }[] }[];
}

const questionOf = (body: Body): string => {
  const content = body.messages.at(-1)?.content ?? '';
  if (typeof content === 'string') return content;
  return content.map(({ text = '' }) => text).join('\n');
};

/** A run's key stands in its topic as `#key#`, and goes on from answer to question. */
export const tagOf = (question: string): string => /#[\w-]+#/.exec(question)?.[0] ?? '';

/** The first draft of anything is sent back once. */
const answerTo = ({ number, question }: Call): string => {
  const mark = `${tagOf(question)} [${number}]`;
  const isRevised = question.includes('revised');
  if (question.startsWith('Write')) return JSON.stringify({ text: `draft ${mark}` });
  if (question.startsWith('Revise')) return JSON.stringify({ text: `revised draft ${mark}` });
  if (question.startsWith('Criti')) return isRevised ? `good ${mark}` : `bad ${mark}`;
  if (question.startsWith('Decide')) {
    const decision = question.includes('good') ? 'pass' : 'revise';
    return JSON.stringify({ decision, feedback: mark });
  }
  return `page ${mark}`;
};

export class ModelServer {
  readonly calls: Call[] = [];
  /** How long an answer takes, in milliseconds. */
  latencyMs: () => number = () => 0;
  /** Numbers of the calls whose answer was sent, whether or not anybody was left to read it. */
  readonly answered = new Set<number>();
  /** The name of the model that answers. */
  model = 'claude-test';
  billed: (call: Call) => Billed = () => ({ input_tokens: 10, output_tokens: 5 });
  /** Told of each call before it is answered; false leaves it without an answer, `now` gives it without the latency. */
  onCall: (call: Call) => boolean | 'now' = () => true;
  answer: (call: Call, body: unknown) => string = answerTo;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const key = (request.headers.authorization ?? '').replace('Bearer ', '');
        this.#take(Buffer.concat(chunks).toString(), key, response);
      });
    });
    this.#server.keepAliveTimeout = 0;
  }

  static async start(): Promise<ModelServer> {
    const server = new ModelServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a process needs to find it. */
  get env(): Record<string, string> {
    return { ECL_ANTHROPIC_BASE_URL: this.url, ANTHROPIC_API_KEY: 'test-key' };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(body: string, key: string, response: ServerResponse): void {
    const parsed = JSON.parse(body) as Body;
    const call = { number: this.calls.length + 1, body, question: questionOf(parsed), key };
    this.calls.push(call);
    const isAnswered = this.onCall(call);
    if (isAnswered === false) return;
    const reply = {
      id: `msg_${call.number}`,
      type: 'message',
      role: 'assistant',
      model: this.model,
      content: [{ type: 'text', text: this.answer(call, parsed) }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: this.billed(call),
    };
    const send = (): void => {
      this.answered.add(call.number);
      response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify(reply));
    };
    if (isAnswered === 'now') send();
    else setTimeout(send, this.latencyMs());
  }
}
