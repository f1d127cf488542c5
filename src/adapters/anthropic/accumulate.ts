/**
 * Puts the events of a stream together to the message that a call without streaming would have answered.
 *
 * 1. The message exists only after `message_stop`: a stream that ends before it was cut.
 * 2. A tool's input is parsed strictly, when it is complete; half of an input is never repaired.
 */
import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages/messages.mjs';

const cutReasons: ReadonlySet<unknown> = new Set(['max_tokens', 'model_context_window_exceeded']);

interface Block {
  readonly start: Readonly<Record<string, unknown>>;
  text: string;
  json: string;
}

export class Accumulator {
  #message: Record<string, unknown> | undefined;
  #usage: Record<string, unknown> = {};
  readonly #blocks: Block[] = [];
  #isComplete = false;

  /** Takes an event in and returns the text that it adds to the answer. */
  add(event: RawMessageStreamEvent): string {
    switch (event.type) {
      case 'message_start':
        this.#message = { ...event.message };
        this.#takeUsage(event.message.usage);
        return '';
      case 'content_block_start':
        this.#blocks[event.index] = { start: { ...event.content_block }, text: '', json: '' };
        return event.content_block.type === 'text'
          ? this.#addText(event.index, event.content_block.text)
          : '';
      case 'content_block_delta':
        if (event.delta.type === 'text_delta') {
          return this.#addText(event.index, event.delta.text);
        }
        if (event.delta.type === 'input_json_delta') {
          this.#blockAt(event.index).json += event.delta.partial_json;
        }
        return '';
      case 'message_delta':
        Object.assign(this.#message ?? {}, event.delta);
        this.#takeUsage(event.usage);
        return '';
      case 'message_stop':
        this.#isComplete = this.#message !== undefined;
        return '';
      default:
        // The end of a block, and events of later versions: nothing of the answer is in them.
        return '';
    }
  }

  /** The message, or undefined when the stream was cut. @throws SyntaxError of a tool's input */
  message(): unknown {
    if (!this.#isComplete || this.#message === undefined) return undefined;
    const isCut = cutReasons.has(this.#message['stop_reason']);
    const content = this.#blocks.map(({ start, text, json }) => {
      if (start['type'] === 'text') return { ...start, text };
      if (start['type'] !== 'tool_use' || json === '') return start;
      // The input of an answer that was cut may end anywhere; nobody gets to see it.
      return { ...start, input: isCut ? null : (JSON.parse(json) as unknown) };
    });
    return { ...this.#message, content, usage: this.#usage };
  }

  #blockAt(index: number): Block {
    const block = this.#blocks[index];
    if (block === undefined) throw new SyntaxError('a block goes on that never began');
    return block;
  }

  #addText(index: number, text: string): string {
    this.#blockAt(index).text += text;
    return text;
  }

  /** Counts of later events are totals; what they leave out stays. */
  #takeUsage(usage: object | null | undefined): void {
    for (const [name, value] of Object.entries(usage ?? {})) {
      if (value !== null && value !== undefined) this.#usage[name] = value;
    }
  }
}
