import { LogExpr, LogRangeExpr, PipelineExpr, Selector, parser } from '@grafana/lezer-logql';

import { maskVariables } from '../logql/variables';
import { CambiumQuery } from '../types';

export const SAMPLE_PREFIX = 'log-sample-';
const SAMPLE_LINES = 100;

/** Lines that a metric query counts: the same selector and stages without the aggregation around them. */
export function sampleQuery(query: CambiumQuery, limit = SAMPLE_LINES): CambiumQuery | undefined {
  const expr = query.hide ? undefined : logPartOf(query.expr ?? '');
  if (!expr) {
    return undefined;
  }
  return {
    refId: `${SAMPLE_PREFIX}${query.refId}`,
    datasource: query.datasource,
    expr,
    queryType: 'range',
    direction: query.direction,
    maxLines: limit,
  };
}

/**
 * The log query inside a metric query. Undefined for a log query, and for a metric query over several selectors, of
 * which no one set of lines is a sample.
 */
export function logPartOf(expr: string): string | undefined {
  const ranges: string[] = [];
  parser.parse(maskVariables(expr)).iterate({
    enter: ({ node }) => {
      if (node.type.id === LogRangeExpr && node.getChild(Selector)) {
        const selector = node.getChild(Selector)!;
        const pipeline = node.getChild(PipelineExpr);
        const stages = pipeline ? ` ${expr.slice(pipeline.from, pipeline.to)}` : '';
        ranges.push(expr.slice(selector.from, selector.to) + stages);
      } else if (node.type.id === LogRangeExpr && node.getChild(LogExpr)) {
        const log = node.getChild(LogExpr)!;
        ranges.push(expr.slice(log.from, log.to));
      }
    },
  });
  return ranges.length === 1 ? ranges[0] : undefined;
}
