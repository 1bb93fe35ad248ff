import { TimeRange } from '@grafana/data';

import { AnswerCache } from './cache';

/** How the data source reaches the backend's resources. */
export type GetResource = <T>(path: string, params?: Record<string, unknown>) => Promise<T>;

export interface DetectedField {
  label: string;
  type: string;
  cardinality: number;
  parsers: string[] | null;
}

export interface IndexStats {
  streams: number;
  chunks: number;
  bytes: number;
  entries: number;
}

/**
 * The lines that are looked at for fields: the newest of the range, for suggestions while somebody types, or all of them, for lists that are to be
 * complete. The store answers for all from templates and columns.
 */
export type FieldLines = 'newest' | 'all';

type Span = Pick<TimeRange, 'from' | 'to'>;

const TTL_MS = 60_000;
/** Ranges are rounded to this, so that a range that ends "now" asks the same question for a while. */
const ROUND_MS = 60_000;
const MAX_FIELD_SAMPLE = 1000;

/** What the store knows about labels and fields, asked sparingly. */
export class LabelClient {
  private readonly names = new AnswerCache<string[]>(TTL_MS);
  private readonly valuesOf = new AnswerCache<string[]>(TTL_MS);
  private readonly series = new AnswerCache<Array<Record<string, string>>>(TTL_MS);
  private readonly fields = new AnswerCache<DetectedField[]>(TTL_MS);
  private readonly stats = new AnswerCache<IndexStats>(TTL_MS);

  constructor(private readonly getResource: GetResource) {}

  /** Names of stream labels, of the streams that the selector matches when one is given. */
  labelNames(range?: Span, selector?: string): Promise<string[]> {
    return this.ask(this.names, 'loki/api/v1/labels', { ...span(range), query: meaningful(selector) }, list);
  }

  labelValues(name: string, range?: Span, selector?: string): Promise<string[]> {
    const path = `loki/api/v1/label/${encodeURIComponent(name)}/values`;
    return this.ask(this.valuesOf, path, { ...span(range), query: meaningful(selector) }, list);
  }

  /** Label sets of the streams that the selector matches. */
  streams(selector: string, range?: Span): Promise<Array<Record<string, string>>> {
    const params = { ...span(range), 'match[]': selector };
    return this.ask(this.series, 'loki/api/v1/series', params, (answer) => data(answer) ?? []);
  }

  /** Structured metadata and fields that parsers find in the lines of a log query. */
  detectedFields(expr: string, range?: Span, lines: FieldLines = 'newest'): Promise<DetectedField[]> {
    return this.askLines(
      this.fields,
      'loki/api/v1/detected_fields',
      { ...span(range), query: expr },
      lines,
      (answer) => {
        return (answer as { fields?: DetectedField[] }).fields ?? [];
      }
    );
  }

  /** Values of a field as found in the lines of a log query. */
  fieldValues(name: string, expr: string, range?: Span, lines: FieldLines = 'newest'): Promise<string[]> {
    const path = `loki/api/v1/detected_field/${encodeURIComponent(name)}/values`;
    return this.askLines(this.valuesOf, path, { ...span(range), query: expr }, lines, (answer) => {
      return (answer as { values?: string[] }).values ?? [];
    });
  }

  /** How much the streams of a selector hold: what a query over them has to read at most. */
  indexStats(selector: string, range: Span): Promise<IndexStats> {
    return this.ask(this.stats, 'loki/api/v1/index/stats', { ...span(range), query: selector }, (answer) => {
      return answer as IndexStats;
    });
  }

  /** The query in its canonical layout. Rejects when it is not valid. */
  async format(expr: string): Promise<string> {
    const { data: text } = await this.getResource<{ data: string }>('loki/api/v1/format_query', { query: expr });
    return text;
  }

  /** Asks about all lines, if so wanted, and about the newest ones where that is more than the tenant may read at once. */
  private askLines<T>(
    cache: AnswerCache<T>,
    path: string,
    params: Record<string, unknown>,
    lines: FieldLines,
    read: (answer: unknown) => T
  ): Promise<T> {
    const newest = () => this.ask(cache, path, { ...params, line_limit: MAX_FIELD_SAMPLE }, read);
    return lines === 'newest' ? newest() : this.ask(cache, path, { ...params, line_limit: 'all' }, read).catch(newest);
  }

  private ask<T>(
    cache: AnswerCache<T>,
    path: string,
    params: Record<string, unknown>,
    read: (answer: unknown) => T
  ): Promise<T> {
    const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
    const key = `${path} ${JSON.stringify(given)}`;
    return cache.get(key, () => this.getResource<unknown>(path, given).then((answer) => read(answer ?? {})));
  }
}

function span(range?: Span): { start?: string; end?: string } {
  if (!range) {
    return {};
  }
  const start = Math.floor(range.from.valueOf() / ROUND_MS) * ROUND_MS;
  const end = Math.ceil(range.to.valueOf() / ROUND_MS) * ROUND_MS;
  // Nanoseconds: the API reads 13 digits as such, too, so milliseconds would be 1970.
  return { start: `${start}000000`, end: `${end}000000` };
}

/** A selector that narrows nothing is refused by the API. */
function meaningful(selector?: string): string | undefined {
  return selector && selector.replace(/\s/g, '') !== '{}' ? selector : undefined;
}

function data<T>(answer: unknown): T | undefined {
  return (answer as { data?: T }).data;
}

function list(answer: unknown): string[] {
  return data<string[]>(answer) ?? [];
}
