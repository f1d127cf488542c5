/**
 * Server-sent events, as far as chat completions use them: the data of each event, up to `[DONE]`.
 *
 * 1. Lines end with LF, CR LF or CR, wherever the network cuts them.
 * 2. The data of an event that the connection did not finish is dropped.
 */

/** Text of a body as whole lines. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    rest += text;
    // Searching all of a long line again with every piece of it would take for ever.
    if (!/[\r\n]/.test(text)) continue;
    // A CR at the end may be half of a CR LF: it waits for what comes next.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest.endsWith('\r')) yield rest.slice(0, -1);
}

/** The data of each event of a stream. */
export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let data: string[] = [];
  for await (const line of linesOf(body)) {
    if (line === '') {
      const text = data.join('\n').trim();
      data = [];
      if (text === '[DONE]') return;
      if (text !== '') yield text;
    } else if (line.startsWith('data:')) {
      data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
  }
}
