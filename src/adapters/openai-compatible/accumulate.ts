/**
 * Puts the chunks of a stream together to the completion that a call without streaming would have answered.
 *
 * 1. Without a reason to stop there is no completion: the stream was cut.
 */
import { z } from 'zod';
import { EclError } from '../../core/errors.ts';
import { ProviderError } from './provider-error.ts';

const Chunk = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        index: z.number().nullish(),
        finish_reason: z.string().nullish(),
        delta: z
          .object({
            content: z.string().nullish(),
            refusal: z.string().nullish(),
            tool_calls: z
              .array(
                z.object({
                  index: z.number().int().min(0).max(1000).nullish(),
                  id: z.string().nullish(),
                  function: z
                    .object({ name: z.string().nullish(), arguments: z.string().nullish() })
                    .nullish(),
                }),
              )
              .nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
  usage: z.unknown().optional(),
});
type Choice = NonNullable<z.infer<typeof Chunk>['choices']>[number];
type ToolCallDelta = NonNullable<NonNullable<Choice['delta']>['tool_calls']>[number];

interface ToolCallSoFar {
  id: string | undefined;
  readonly function: { name: string; arguments: string };
}

export class Accumulator {
  readonly #id: string;
  readonly #toolCalls: ToolCallSoFar[] = [];
  #model: string | undefined;
  #content = '';
  #refusal = '';
  #finishReason: string | undefined;
  #usage: unknown;

  constructor(id: string) {
    this.#id = id;
  }

  /** Takes a chunk in and returns the text that it adds to the answer. */
  add(wire: unknown): string {
    if (typeof wire === 'object' && wire !== null && 'error' in wire && wire.error) {
      throw new ProviderError(undefined, wire);
    }
    const parsed = Chunk.safeParse(wire);
    if (!parsed.success) {
      const reason = 'a part of the stream is no chunk of a chat completion';
      throw new EclError('model.malformed', { model: this.#id, reason });
    }
    this.#model ??= parsed.data.model ?? undefined;
    this.#usage = parsed.data.usage ?? this.#usage;
    const choice = parsed.data.choices?.find((each) => (each.index ?? 0) === 0);
    return choice === undefined ? '' : this.#take(choice);
  }

  /** @throws EclError `model.unavailable` when the stream was cut */
  completion(): unknown {
    if (this.#finishReason === undefined) {
      const reason = 'the stream ended before the answer was complete';
      throw new EclError('model.unavailable', { model: this.#id, reason });
    }
    const message = {
      content: this.#content,
      refusal: this.#refusal,
      tool_calls: this.#toolCalls.filter((call) => call !== undefined),
    };
    const choices = [{ finish_reason: this.#finishReason, message }];
    return { model: this.#model, choices, usage: this.#usage };
  }

  #take({ delta, finish_reason: finishReason }: Choice): string {
    this.#finishReason = finishReason ?? this.#finishReason;
    this.#refusal += delta?.refusal ?? '';
    for (const [place, call] of (delta?.tool_calls ?? []).entries()) this.#takeCall(call, place);
    const text = delta?.content ?? '';
    this.#content += text;
    return text;
  }

  #takeCall({ index, id, function: part }: ToolCallDelta, place: number): void {
    const at = index ?? place;
    const call = (this.#toolCalls[at] ??= {
      id: undefined,
      function: { name: '', arguments: '' },
    });
    call.id ??= id ?? undefined;
    call.function.name += part?.name ?? '';
    call.function.arguments += part?.arguments ?? '';
  }
}
