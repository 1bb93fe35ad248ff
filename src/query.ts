import { CoreApp } from '@grafana/data';

import { isMetricQuery } from './logql/kind';
import { CambiumQuery, Direction, QueryType } from './types';

/** Loki's own default for a log query in Grafana; enough to fill a screen many times, cheap to fetch. */
export const DEFAULT_MAX_LINES = 1000;

export function defaultQuery(app: CoreApp): Partial<CambiumQuery> {
  // A rule needs one number per series, not a graph.
  const instant = app === CoreApp.UnifiedAlerting || app === CoreApp.CloudAlerting;
  return { expr: '', queryType: instant ? 'instant' : 'range' };
}

export function queryTypeOf(query: CambiumQuery): QueryType {
  return query.queryType ?? 'range';
}

export function directionOf(query: CambiumQuery): Direction {
  return query.direction ?? 'backward';
}

/** Lines cannot be evaluated at one instant; only a metric query keeps the wish for it. */
export function effectiveQueryType(query: CambiumQuery): QueryType {
  const type = queryTypeOf(query);
  return type === 'instant' && !isMetricQuery(query.expr) ? 'range' : type;
}

/** The line limit that the text of an input asks for; undefined means the default. */
export function parseMaxLines(text: string): number | undefined {
  const value = Number(text);
  return text.trim() !== '' && Number.isInteger(value) && value > 0 ? value : undefined;
}

/** One line that stands for the query in lists and collapsed rows. */
export function displayText(query: CambiumQuery): string {
  return query.expr?.replace(/\s+/g, ' ').trim() ?? '';
}
