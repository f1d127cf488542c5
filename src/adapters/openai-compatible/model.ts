/**
 * A model behind any server that speaks OpenAI's chat completions: Ollama, vLLM, llama.cpp, LM Studio, OpenRouter.
 * It asks for nothing that only one of them has.
 *
 * 1. One call is one HTTP request; retries belong to the runtime.
 * 2. Only a whole answer becomes a reply; a stream that ends without a reason to stop was cut.
 * 3. A call ends by its deadline, however slowly the answer drips.
 */
import { EclError } from '../../core/errors.ts';
import type { CallOptions, Model, ModelReply, ModelRequest } from '../../ports/model.ts';
import { Accumulator } from './accumulate.ts';
import { startDeadline, type Deadline } from '../model-calls/deadline.ts';
import { failedAnswer, toEclError } from './errors.ts';
import { post, readAll, type Answer } from './http.ts';
import { toReply } from './reply.ts';
import { toBody } from './request.ts';
import { eventsOf } from './sse.ts';

export interface OpenAiCompatibleModelOptions {
  /** @default `openai-compatible:<url>#<model>` */
  readonly id?: string;
  /** The address of the server, with or without `/v1`. */
  readonly url: string;
  readonly model: string;
  /** Local servers want none. */
  readonly apiKey?: string;
  /** From the request to the last byte of the answer. @default 10 minutes */
  readonly timeoutMs?: number;
}

/** The options with their defaults filled in. */
export interface Settings {
  readonly id: string;
  readonly url: URL;
  readonly model: string;
  readonly apiKey: string;
  readonly timeoutMs: number;
}

/** @throws EclError `config.invalid` */
const endpointOf = (address: string): URL => {
  const refuse = (issue: string): EclError => new EclError('config.invalid', { issues: issue });
  if (!URL.canParse(address)) throw refuse('the address of the model is no URL');
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refuse('the address of the model begins with neither http: nor https:');
  }
  // The address is part of the id, which stands in logs and journals.
  if (url.username !== '' || url.password !== '') {
    throw refuse('the address of the model holds credentials; give the key apart from it');
  }
  const path = url.pathname.replace(/\/+$/, '');
  if (!path.endsWith('/chat/completions')) {
    url.pathname = /\/v\d+$/.test(path)
      ? `${path}/chat/completions`
      : `${path}/v1/chat/completions`;
  }
  return url;
};

const settingsOf = (options: OpenAiCompatibleModelOptions): Settings => ({
  id: options.id ?? `openai-compatible:${options.url}#${options.model}`,
  url: endpointOf(options.url),
  model: options.model,
  apiKey: options.apiKey?.trim() ?? '',
  timeoutMs: options.timeoutMs ?? 10 * 60 * 1000,
});

const headersOf = ({ id, apiKey }: Settings, { idempotencyKey }: CallOptions) => {
  // Checked here: the error of a header that cannot be sent would show the key.
  if (!/^[\x21-\x7e]*$/.test(apiKey)) {
    const reason = 'the API key has characters that no key has';
    throw new EclError('model.credentials', { model: id, reason });
  }
  return {
    ...(apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` }),
    ...(/^[\x21-\x7e]{1,255}$/.test(idempotencyKey) ? { 'idempotency-key': idempotencyKey } : {}),
  };
};

/** One call in progress. */
class Call {
  readonly #settings: Settings;
  readonly #request: ModelRequest;
  readonly #options: CallOptions;
  readonly #deadline: Deadline;

  constructor(settings: Settings, request: ModelRequest, options: CallOptions) {
    this.#settings = settings;
    this.#request = request;
    this.#options = options;
    this.#deadline = startDeadline(options.signal, settings.timeoutMs);
  }

  async plain(): Promise<ModelReply> {
    const answer = await this.#post({ stream: false });
    const body: unknown = JSON.parse(await readAll(answer));
    return toReply(body, this.#request, this.#settings.id);
  }

  async *streamed(): AsyncGenerator<string, ModelReply> {
    const answer = await this.#post({ stream: true });
    if (!answer.isEventStream) {
      // A server that cannot stream answers at once.
      const body: unknown = JSON.parse(await readAll(answer));
      const reply = toReply(body, this.#request, this.#settings.id);
      if (reply.text !== '') yield reply.text;
      return reply;
    }
    const accumulator = new Accumulator(this.#settings.id);
    for await (const data of eventsOf(answer.body)) {
      const text = accumulator.add(JSON.parse(data));
      if (text !== '') yield text;
    }
    return toReply(accumulator.completion(), this.#request, this.#settings.id);
  }

  failure(error: unknown): EclError {
    const deadline = this.#deadline;
    return toEclError(error, { settings: this.#settings, request: this.#request, deadline });
  }

  end(): void {
    this.#deadline.clear();
  }

  async #post(options: { stream: boolean }): Promise<Answer> {
    const headers = headersOf(this.#settings, this.#options);
    const body = JSON.stringify(toBody(this.#request, this.#settings.model, options));
    const { signal } = this.#deadline;
    const answer = await post(this.#settings.url, { headers, body, signal });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw await failedAnswer(answer, this.#settings, this.#request);
  }
}

/** Creates a model that answers by a server's chat completions. @throws EclError `config.invalid` */
export const createOpenAiCompatibleModel = (options: OpenAiCompatibleModelOptions): Model => {
  const settings = settingsOf(options);
  return {
    id: settings.id,
    isLanguageModel: true,
    complete: async (request, options) => {
      const call = new Call(settings, request, options);
      try {
        return await call.plain();
      } catch (error) {
        throw call.failure(error);
      } finally {
        call.end();
      }
    },
    stream: async function* stream(request, options) {
      const call = new Call(settings, request, options);
      const answer = call.streamed();
      try {
        let next = await answer.next();
        for (; next.done !== true; next = await answer.next()) {
          yield { kind: 'text', text: next.value };
        }
        yield { kind: 'reply', reply: next.value };
      } catch (error) {
        throw call.failure(error);
      } finally {
        call.end();
        // Whoever stops reading ends the request with it.
        await answer.return(undefined as never);
      }
    },
  };
};
