// What a scenario holds in its hands: fresh names and ids, one recorded step per call, the raw protocol and the official client.
import { randomBytes, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import * as wire from './wire.mjs';
import { encode, mark, normalise } from './normalise.mjs';

const within = (promise, ms) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

// ---- brief texts: one line an event, one line a frame ------------------------------------------------------------------

const pair = (commit, prepare) => `${mark(commit)}/${mark(prepare)}`;

function recordText({
  streamIdentifier,
  streamRevision,
  id,
  metadata,
  data,
  commitPosition,
  preparePosition,
}) {
  const prepare = preparePosition === commitPosition ? '' : ` prepare=${mark(preparePosition)}`;
  return `${streamIdentifier}@${streamRevision} ${metadata.type} ${id} ${mark(commitPosition)}${prepare}${data === '{}' ? '' : ` ${data ?? 'no data'}`}`;
}

/** `stream@revision type id position [data]`, behind a link and an arrow where one was resolved. */
function eventText({ event, link, commitPosition, noPosition, retryCount }) {
  const outer = noPosition
    ? ' outer=none'
    : commitPosition === (link ?? event)?.commitPosition
      ? ''
      : ` outer=${mark(commitPosition)}`;
  const retry = retryCount === undefined ? '' : ` retry=${retryCount}`;
  return `${link ? `${recordText(link)} -> ` : ''}${event ? recordText(event) : 'nothing'}${outer}${retry}`;
}

function clientEventText({ event, link, ...rest }) {
  const asRecord = (e) =>
    e && {
      streamIdentifier: e.streamId,
      streamRevision: e.revision,
      id: e.id,
      metadata: { type: e.type },
      data: e.isJson ? JSON.stringify(e.data) : wire.text(e.data) || undefined,
      commitPosition: e.position?.commit,
      preparePosition: e.position?.prepare,
    };
  return eventText({ event: asRecord(event), link: asRecord(link), ...rest });
}

/** A Read frame in one line. */
function frameText(message) {
  const [[kind, body]] = Object.entries(wire.plain(message));
  if (kind === 'event') return `event ${eventText(body)}`;
  if (typeof body !== 'object') return `${kind} ${body}`;
  const {
    subscriptionId,
    streamIdentifier,
    streamRevision,
    position,
    timestamp,
    commitPosition,
    preparePosition,
  } = body;
  return [
    kind,
    subscriptionId,
    streamIdentifier,
    commitPosition && pair(commitPosition, preparePosition),
    streamRevision && `revision=${streamRevision}`,
    position && `position=${pair(position.commitPosition, position.preparePosition)}`,
    timestamp && '+timestamp',
  ]
    .filter(Boolean)
    .join(' ');
}

/** A long list by its ends. */
const shorten = (items) =>
  items.length <= 60
    ? items
    : [...items.slice(0, 5), `... ${items.length - 10} more ...`, ...items.slice(-5)];
const briefEvent = ({ id, ...rest }) => (id && !Object.keys(rest).length ? id : { id, ...rest });
const brief = ({ events, records, ...rest }) => ({
  ...rest,
  events: events?.map(briefEvent),
  records: records?.map(briefEvent),
});

// ---- streams of answers ------------------------------------------------------------------------------------------------

/** Collects what a streaming call delivers. */
class Inbox {
  #items = [];
  #outcome;
  #wake = () => {};

  constructor(call, toItem, timeoutMs) {
    this.timeoutMs = timeoutMs;
    let error;
    const drained = new Promise((resolve) => call.on('end', resolve));
    call.on('data', (message) => {
      this.#items.push(toItem(message));
      this.#wake();
    });
    call.on('error', (failure) => {
      error = wire.describe(failure);
    });
    call.on('status', async () => {
      await within(drained, 500).catch(() => {});
      this.#outcome = error ? { error } : { ended: 'OK' };
      this.#wake();
    });
  }

  get size() {
    return this.#items.length;
  }

  /** Takes the items up to the stop: a count, a part of the item's text, or `'end'` of the call. */
  async take(stop) {
    const text = (item) => (typeof item === 'string' ? item : JSON.stringify(item));
    const isStop = (item, index) =>
      typeof stop === 'number' ? index + 1 >= stop : stop !== 'end' && text(item).includes(stop);
    const deadline = Date.now() + this.timeoutMs;
    for (;;) {
      const at = this.#items.findIndex(isStop);
      if (at >= 0) return { items: this.#items.splice(0, at + 1) };
      if (this.#outcome) return { items: this.#items.splice(0), ...this.#outcome };
      if (Date.now() >= deadline)
        return { items: this.#items.splice(0), ended: 'no answer in time' };
      await within(
        new Promise((resolve) => {
          this.#wake = resolve;
        }),
        deadline - Date.now(),
      ).catch(() => {});
    }
  }
}

// ---- the context -------------------------------------------------------------------------------------------------------

class Context {
  entries = [];
  #cleanups = [];
  #note;

  constructor(scenario, target) {
    Object.assign(this, {
      scenario,
      target,
      raw: target.raw,
      prefix: `r${randomBytes(5).toString('hex')}-`,
    });
    this.client = new Proxy(
      {},
      {
        get:
          (_, method) =>
          (...args) =>
            this.#client(method, args),
      },
    );
  }

  /** A stream name of this scenario and run: `t.s('a')` is recorded as `~a`. */
  s = (name) => `${this.prefix}${name}`;
  id = () => randomUUID();
  event = (fields) => ({ id: randomUUID(), ...fields });
  events = (count, fields) => Array.from({ length: count }, () => this.event(fields));
  /** An event as the official client takes it. */
  json = (data = {}) => ({ id: randomUUID(), type: 't', contentType: 'application/json', data });

  /** Names the next step. */
  as(note) {
    this.#note = note;
    return this;
  }
  onEnd(action) {
    this.#cleanups.push(action);
  }
  async close() {
    for (const action of this.#cleanups.reverse()) await action();
  }

  /** Records one step: `run` returns `{ result }`, `{ error }` or both; a throw is an error. */
  async step(call, run) {
    const entry = {
      group: this.scenario.group,
      scenario: this.scenario.name,
      step: this.entries.length + 1,
      note: this.#note,
      call,
    };
    this.#note = undefined;
    const outcome = await within(run(), this.target.timeoutMs).catch((error) => ({
      error: wire.describe(error),
    }));
    this.entries.push(encode({ ...entry, ...outcome }));
    return outcome;
  }

  #headers(headers = {}) {
    const metadata = new wire.grpc.Metadata();
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
    return metadata;
  }

  /** A unary call, or with a list of requests a client-streaming one. */
  #answer(client, method, request, headers) {
    return new Promise((resolve) => {
      const settle = (error, response) =>
        resolve(error ? { error: wire.describe(error) } : { result: wire.plain(response) });
      const rest = [
        this.#headers(headers),
        { deadline: Date.now() + this.target.timeoutMs },
        settle,
      ];
      if (!Array.isArray(request)) return client[method](request, ...rest);
      const call = client[method](...rest).on('error', () => {});
      for (const one of request) call.write(one);
      call.end();
    });
  }

  #inbox = (call, toItem) => new Inbox(call, toItem, this.target.timeoutMs - 500);

  /** Writes a stream (unless `events` is 0) and perhaps deletes it, unrecorded; returns its events and the last position. */
  async given(name, { events = 1, type, then } = {}) {
    const stream = this.s(name);
    const list = typeof events === 'number' ? this.events(events, type && { type }) : events;
    const must = async (method, request) => {
      const { result, error } = await this.#answer(this.raw.streams, method, request);
      if (error)
        throw Object.assign(new Error(`preparation failed: ${error.message}`), {
          code: error.code,
        });
      return result;
    };
    const written =
      list.length &&
      (await must('append', [
        wire.appendOptions({ stream, expect: 'any' }),
        ...list.map(wire.appendMessage),
      ]));
    if (then === 'deleted')
      await must('delete', wire.removal('DeleteReq', { stream, expect: 'any' }));
    if (then === 'tombstoned')
      await must('tombstone', wire.removal('TombstoneReq', { stream, expect: 'any' }));
    const { commitPosition: commit, preparePosition: prepare } = written?.success?.position ?? {};
    return { stream, events: list, position: { commit, prepare } };
  }

  /** Waits, unrecorded, until a stream has come to a revision: what revives a stream is answered before its metadata is written. */
  async reached(stream, revision) {
    for (let tries = 0; tries < 50; tries++) {
      const { items } = await this.#open({
        stream,
        from: 'end',
        direction: 'backwards',
        count: 1,
      }).take('end');
      if (items.some((line) => Number(/@(\d+) /.exec(line)?.[1]) >= revision)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Unary Append. `sequence` overrides the messages: 'options' or an event each. */
  append({ sequence, headers, ...args }) {
    const order = sequence ?? ['options', ...(args.events ?? [])];
    const call = {
      rpc: 'Streams/Append',
      ...brief(args),
      sequence: sequence?.map((one) => (one === 'options' ? one : briefEvent(one))),
      headers,
    };
    const messages = order.map((one) =>
      one === 'options' ? wire.appendOptions(args) : wire.appendMessage(one),
    );
    return this.step(call, () => this.#answer(this.raw.streams, 'append', messages, headers));
  }

  /**
   * BatchAppend: the frames in order on a call of its own, then `take` answers. They are recorded in the order of the requests:
   * the order of arrival is not fixed (refusals overtake successes). With `halfClose` the client ends its side first.
   */
  batch(frames, { take = 1, halfClose } = {}) {
    const list = [frames].flat().map((frame) => ({ correlation: this.id(), ...frame }));
    return this.step(
      { rpc: 'Streams/BatchAppend', frames: list.map(brief), halfClose },
      async () => {
        const call = this.raw.streams.batchAppend(this.#headers(), {});
        const inbox = this.#inbox(call, wire.plain);
        for (const frame of list) call.write(wire.batchFrame(frame));
        if (halfClose) call.end();
        const { items, ended, error } = await inbox.take(take);
        call.cancel();
        const place = ({ correlationId = '' }) =>
          list.findIndex(({ correlation }) => correlationId.endsWith(correlation));
        return { result: { responses: items.sort((a, b) => place(a) - place(b)), ended }, error };
      },
    );
  }

  delete = (args) =>
    this.step({ rpc: 'Streams/Delete', ...args }, () =>
      this.#answer(this.raw.streams, 'delete', wire.removal('DeleteReq', args)),
    );
  tombstone = (args) =>
    this.step({ rpc: 'Streams/Tombstone', ...args }, () =>
      this.#answer(this.raw.streams, 'tombstone', wire.removal('TombstoneReq', args)),
    );

  session(requests) {
    const call = { rpc: 'StreamsService/AppendSession', requests: requests.map(brief) };
    return this.step(call, () =>
      this.#answer(this.raw.v2, 'appendSession', requests.map(wire.sessionRequest)),
    );
  }

  appendRecords(args) {
    return this.step({ rpc: 'StreamsService/AppendRecords', ...brief(args) }, () =>
      this.#answer(this.raw.v2, 'appendRecords', wire.recordsRequest(args)),
    );
  }

  /** Any other unary call. */
  unary(service, method, request, { pick = (result) => result, ...call }) {
    return this.step(call, async () => {
      const { result, error } = await this.#answer(this.raw[service], method, request);
      return { result: result && pick(result), error };
    });
  }

  http(path, pick = () => ({})) {
    return this.step({ http: `GET ${path}` }, async () => {
      const response = await fetch(`http://${this.target.host}:${this.target.port}${path}`);
      return { result: { status: response.status, ...pick(await response.text()) } };
    });
  }

  /** Records the frames up to `stop`. `collapse` merges checkpoints, where their number depends on the rest of the log. */
  #frames(inbox, call, stop, collapse) {
    return this.step(call, async () => {
      const { items, ended, error } = await inbox.take(stop);
      const merged = items
        .map((line) => line.replace?.(/^checkpoint.*/, 'checkpoint, one or more'))
        .filter((line, index, all) => line !== all[index - 1]);
      return {
        result: {
          frames: shorten(collapse ? merged : items),
          ended: stop === 'end' && ended === 'OK' ? undefined : ended,
        },
        error,
      };
    });
  }

  #open({ full, headers, ...args }) {
    const call = this.raw.streams.read(wire.readRequest(args), this.#headers(headers), {});
    this.onEnd(() => call.cancel());
    return this.#inbox(call, full ? wire.plain : frameText);
  }

  /** A finite Read: all frames, each in one line, or `full` as they are. */
  read = (args) => this.#frames(this.#open(args), { rpc: 'Streams/Read', ...args }, 'end');

  /** Opens a subscription and records its frames up to `first`; what it returns records those up to the next stop. Its `position` is the last one seen. */
  async subscribe({ first = 'caughtUp', collapse, ...args }) {
    const inbox = this.#open({ ...args, subscription: true });
    const { result } = await this.#frames(
      inbox,
      { rpc: 'Streams/Read', subscription: true, ...args },
      first,
      collapse,
    );
    const [, commit, prepare] = /⟦(\d+)⟧\/⟦?(\d+)⟧?/.exec(result?.frames.at(-1)) ?? [];
    return Object.assign(
      (stop) => this.#frames(inbox, { frames: `until ${stop}` }, stop, collapse),
      { position: { commit, prepare } },
    );
  }

  /** A consumer of a persistent subscription. */
  persistent(args) {
    const call = this.raw.persistent.read(this.#headers(), {});
    const inbox = this.#inbox(call, frameText);
    this.onEnd(() => call.cancel());
    call.write(wire.persistentOpen(args));
    return {
      inbox,
      opened: (stop = 1) =>
        this.#frames(inbox, { rpc: 'PersistentSubscriptions/Read', ...args }, stop),
      frames: (stop) => this.#frames(inbox, { frames: `until ${stop}` }, stop),
      ack: (...ids) => call.write(wire.persistentAck(ids)),
      nack: (action, reason, ...ids) => call.write(wire.persistentNack(ids, action, reason)),
      cancel: () => call.cancel(),
    };
  }

  /** Any method of the official client; the events that it reads in one line each, or with `t.fullEvents` as they are. */
  #client(method, args) {
    return this.step({ client: method, args }, async () => {
      const answer = await this.target.client[method](...args);
      if (!answer?.[Symbol.asyncIterator]) return { result: answer ?? 'undefined' };
      const events = [];
      for await (const event of answer)
        events.push(this.fullEvents ? event : clientEventText(event));
      return { result: events };
    });
  }

  /** A subscription of the official client: what it emits, in order, up to each stop. */
  async clientSubscribe(method, args, { first = 'caughtUp', options = {} } = {}) {
    const emitter = new EventEmitter();
    const inbox = this.#inbox(emitter, (line) => line);
    const say = (...words) => emitter.emit('data', words.filter(Boolean).join(' '));
    const filter = options.filter && {
      ...options.filter,
      checkpointReached: async (_, { commit, prepare }) =>
        say('checkpointReached', pair(commit, prepare)),
    };
    const subscription = this.target.client[method](...args, { ...options, filter });
    for (const name of ['confirmation', 'caughtUp', 'fellBehind', 'end', 'close']) {
      subscription.on(name, ({ revision, position, date } = {}) =>
        say(
          name,
          revision !== undefined && `revision=${revision}`,
          position && `position=${pair(position.commit, position.prepare)}`,
          date && '+date',
        ),
      );
    }
    subscription.on('data', (event) => say('data', clientEventText(event)));
    subscription.on('error', (error) => say('error', JSON.stringify(encode(wire.describe(error)))));
    this.onEnd(() => subscription.unsubscribe().catch(() => {}));
    const next = (call, stop) =>
      this.step(call, async () => {
        const { items, ended } = await inbox.take(stop);
        return { result: { emitted: items, ended } };
      });
    await next({ client: method, args: [...args, options] }, first);
    return Object.assign((stop) => next({ emitted: `until ${stop}` }, stop), { subscription });
  }
}

/** Runs one scenario; resolves to its JSON lines. */
export async function runScenario(scenario, target) {
  const context = new Context(scenario, target);
  try {
    await scenario.body(context);
  } catch (error) {
    await context.step({ aborted: true }, () => Promise.reject(error));
  }
  await context.close();
  return normalise(context.entries, {
    prefix: context.prefix,
    host: target.host,
    port: target.port,
  });
}
