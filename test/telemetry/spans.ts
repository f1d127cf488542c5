/** A tracer as a program registers it, whose spans a test reads. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  context,
  ROOT_CONTEXT,
  trace,
  type Context,
  type ContextManager,
} from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';

/** What Node's SDK brings along: contexts that follow promises. */
class FollowingPromises implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with: ContextManager['with'] = (inner, work, self, ...given) =>
    this.#storage.run(inner, () => work.call(self, ...given));

  bind<Target>(_: Context, target: Target): Target {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

export interface Spans {
  /** How often what was held back was asked for. */
  readonly flushes: number;
  /** Those that have ended, in order. */
  all(): readonly ReadableSpan[];
  /** The only one of this name. */
  one(name: string): ReadableSpan;
}

export const registerTracer = (): Spans => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  let flushes = 0;
  const forceFlush = provider.forceFlush.bind(provider);
  provider.forceFlush = () => {
    flushes += 1;
    return forceFlush();
  };
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new FollowingPromises());
  return {
    get flushes() {
      return flushes;
    },
    all: () => exporter.getFinishedSpans(),
    one: (name) => {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name);
      if (found.length === 1) return found[0]!;
      const names = exporter.getFinishedSpans().map((span) => span.name);
      throw new Error(`${found.length} spans are named ${name}: ${names.join(', ')}`);
    },
  };
};

export const unregisterTracer = (): void => {
  trace.disable();
  context.disable();
};
