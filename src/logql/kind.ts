import { MetricExpr, Selector, parser } from '@grafana/lezer-logql';

import { maskVariables } from './variables';

export interface Span {
  from: number;
  to: number;
}

/** Every node of a type, outermost first, in the order of the text. */
export function nodesOf(expr: string, type: number): Span[] {
  const found: Span[] = [];
  parser.parse(maskVariables(expr)).iterate({
    enter: (node) => {
      if (node.type.id === type) {
        found.push({ from: node.from, to: node.to });
      }
    },
  });
  return found;
}

/** True for a query that yields numbers; false for lines and for text that is neither (yet). */
export function isMetricQuery(expr: string): boolean {
  return nodesOf(expr, MetricExpr).length > 0;
}

/** The places of all stream selectors. */
export function selectorsOf(expr: string): Span[] {
  return nodesOf(expr, Selector);
}
