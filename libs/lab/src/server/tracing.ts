import type { AttributeValue, Span } from '@opentelemetry/api';

/** What a span says of itself. */
export type SpanFacts = Readonly<Record<string, AttributeValue | undefined>>;

/** A piece of work that takes time, as a part of a trace. */
export interface TraceSpan {
  /** Names this span to other processes (W3C Trace Context, `traceparent`); undefined when nothing is traced. */
  readonly traceparent: string | undefined;
  facts(facts: SpanFacts): void;
  /** @param failure why it did not come to a good end */
  end(failure?: string): void;
}

export interface SpanOptions {
  /** The `traceparent` of what it belongs to; anything else begins a new trace. */
  readonly parent?: string | null | undefined;
  /** `server`: a request from outside; `consumer`: something out of a queue. */
  readonly kind?: 'internal' | 'server' | 'consumer';
  readonly facts?: SpanFacts;
  /** When it began, if not now. */
  readonly startedAt?: Date;
}

/** Where a process of the lab says what took how long. */
export interface Tracing {
  readonly enabled: boolean;
  start(name: string, options?: SpanOptions): TraceSpan;
  /** Sends what is not sent yet. */
  close(): Promise<void>;
}

const NO_SPAN: TraceSpan = { traceparent: undefined, facts: () => undefined, end: () => undefined };

/** Nothing is traced. */
export const NO_TRACING: Tracing = { enabled: false, start: () => NO_SPAN, close: () => Promise.resolve() };

/** Longer names of one trace's parent are none (W3C Trace Context, 3.2). */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The `traceparent` that a request names; undefined when it names none. */
export const traceparentOf = (header: unknown): string | undefined =>
  typeof header === 'string' && TRACEPARENT.test(header) ? header : undefined;

/**
 * Traces to the OTLP receiver that the environment names, in the variables of OpenTelemetry's own specification
 * (`OTEL_EXPORTER_OTLP_ENDPOINT` and its relatives). Without one nothing is traced, and nothing of OpenTelemetry is loaded.
 * @param service which part of the lab this process is
 */
export async function openTracing(
  service: 'api' | 'worker',
  env: NodeJS.ProcessEnv,
  onError: (message: string) => void = () => undefined,
): Promise<Tracing> {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (!endpoint || env['OTEL_SDK_DISABLED'] === 'true') return NO_TRACING;
  const [api, core, trace, resources, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const silent = (): void => undefined;
  // Of a receiver that is away, the log should tell.
  const logger = { error: onError, warn: onError, info: silent, debug: silent, verbose: silent };
  api.diag.setLogger(logger, { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true });
  const provider = new trace.TracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ 'service.name': env['OTEL_SERVICE_NAME'] ?? `bootlab-${service}` }))
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    sampler: new trace.ParentBasedSampler({ root: new trace.TraceIdRatioBasedSampler(shareOf(env)) }),
    spanProcessors: [new trace.BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('bootlab');
  const propagator = new core.W3CTraceContextPropagator();
  const kinds = {
    internal: api.SpanKind.INTERNAL,
    server: api.SpanKind.SERVER,
    consumer: api.SpanKind.CONSUMER,
  } as const;
  const parentOf = (traceparent: string | null | undefined) =>
    propagator.extract(api.ROOT_CONTEXT, { traceparent: traceparent ?? '' }, api.defaultTextMapGetter);
  const nameOf = (span: Span): string | undefined => {
    const carrier: { traceparent?: string } = {};
    propagator.inject(api.trace.setSpan(api.ROOT_CONTEXT, span), carrier, api.defaultTextMapSetter);
    return carrier.traceparent;
  };
  return {
    enabled: true,
    start: (name, { parent, kind = 'internal', facts = {}, startedAt } = {}) => {
      const options = { kind: kinds[kind], attributes: { ...facts }, ...(startedAt && { startTime: startedAt }) };
      const span = tracer.startSpan(name, options, parentOf(parent));
      return {
        traceparent: nameOf(span),
        facts: (more) => void span.setAttributes({ ...more }),
        end: (failure) => {
          if (failure !== undefined) span.setStatus({ code: api.SpanStatusCode.ERROR, message: failure });
          span.end();
        },
      };
    },
    close: () => provider.shutdown(),
  };
}

/** What share of traces is kept that begin here. */
function shareOf(env: NodeJS.ProcessEnv): number {
  const share = Number(env['OTEL_TRACES_SAMPLER_ARG'] || 1);
  return share >= 0 && share <= 1 ? share : 1;
}
