import {
  Grouping,
  Identifier,
  LogRangeExpr,
  Range,
  RangeAggregationExpr,
  RangeOp,
  UnwrapExpr,
  VectorAggregationExpr,
  VectorOp,
  parser,
} from '@grafana/lezer-logql';
import type { SyntaxNode } from '@lezer/common';

import { matcherText } from '../logql/edit';
import { LabelMatcher, descendants, logParts } from '../logql/tree';
import { firstProblem } from '../logql/validate';
import { maskVariables } from '../logql/variables';

/** A query as the builder shows it: one selector, stages as text, and at most one function inside of one aggregation. */
export interface BuilderModel {
  matchers: LabelMatcher[];
  stages: string[];
  /** Field that is the value of each entry. */
  unwrap?: string;
  rangeFunction?: { name: string; range: string };
  aggregation?: { name: string; param?: string; by?: string[]; without?: boolean };
}

export const EMPTY_MODEL: BuilderModel = { matchers: [], stages: [] };

/** The query that a model stands for. */
export function toExpr({ matchers, stages, unwrap, rangeFunction, aggregation }: BuilderModel): string {
  const usable = matchers.filter(({ label }) => label);
  if (!usable.length && !stages.length && !rangeFunction) {
    return '';
  }
  let expr = [`{${usable.map(matcherText).join(', ')}}`, ...stages].join(' ');
  if (!rangeFunction) {
    return expr;
  }
  if (unwrap) {
    expr += ` | unwrap ${unwrap}`;
  }
  const [name, param] = splitParam(rangeFunction.name);
  expr = `${name}(${param ? `${param}, ` : ''}${expr} [${rangeFunction.range}])`;
  if (!aggregation) {
    return expr;
  }
  const labels = aggregation.by?.length
    ? ` ${aggregation.without ? 'without' : 'by'} (${aggregation.by.join(', ')})`
    : '';
  return `${aggregation.name}${labels} (${aggregation.param ? `${aggregation.param}, ` : ''}${expr})`;
}

/** `quantile_over_time 0.95` is how a function with its number is kept. */
function splitParam(name: string): [string, string | undefined] {
  const [bare, param] = name.split(' ');
  return [bare, param];
}

/**
 * The model of a query; undefined for one that the builder cannot show whole, which is then left to the code editor. It
 * is checked by writing the model and comparing, so that nothing can get lost on the way.
 */
export function fromExpr(expr: string): BuilderModel | undefined {
  if (!expr.trim()) {
    return EMPTY_MODEL;
  }
  if (firstProblem(expr)) {
    return undefined;
  }
  const [part, ...others] = logParts(expr);
  if (!part || others.length) {
    return undefined;
  }
  const root = parser.parse(maskVariables(expr)).topNode;
  const text = (node: SyntaxNode) => expr.slice(node.from, node.to);
  const [range] = descendants(root, RangeAggregationExpr);
  const [vector] = descendants(root, VectorAggregationExpr);
  const model: BuilderModel = {
    matchers: part.matchers.map(({ label, op, value }) => ({ label, op, value })),
    stages: part.stages.map((stage) => stage.text),
    unwrap: unwrapOf(root, text),
    rangeFunction: range && rangeFunctionOf(range, text),
    aggregation: vector && aggregationOf(vector, text),
  };
  return same(toExpr(model), expr) ? model : undefined;
}

function unwrapOf(root: SyntaxNode, text: (node: SyntaxNode) => string): string | undefined {
  const [unwrap] = descendants(root, UnwrapExpr);
  return unwrap && /unwrap\s+([\s\S]+)$/.exec(text(unwrap))?.[1];
}

function rangeFunctionOf(node: SyntaxNode, text: (node: SyntaxNode) => string): BuilderModel['rangeFunction'] {
  const name = node.getChild(RangeOp);
  const inner = node.getChild(LogRangeExpr);
  const range = inner?.getChild(Range);
  if (!name || !inner || !range) {
    return undefined;
  }
  const param = text({ from: name.to, to: inner.from } as SyntaxNode).replace(/[(,\s]/g, '');
  return { name: text(name) + (param && ` ${param}`), range: text(range).slice(1, -1) };
}

function aggregationOf(node: SyntaxNode, text: (node: SyntaxNode) => string): BuilderModel['aggregation'] {
  const name = node.getChild(VectorOp);
  const grouping = node.getChild(Grouping);
  const param = /\(\s*([\d.$\w{}]+)\s*,/.exec(grouping ? text(node).replace(text(grouping), '') : text(node))?.[1];
  if (!name) {
    return undefined;
  }
  return {
    name: text(name),
    param: /^(topk|bottomk|approx_topk)$/i.test(text(name)) ? param : undefined,
    by: grouping ? descendants(grouping, Identifier).map(text) : undefined,
    without: grouping ? /^without/i.test(text(grouping)) : undefined,
  };
}

/** Equal but for blanks, the side that a grouping stands on, and how strings are quoted. */
function same(a: string, b: string): boolean {
  return canonical(a) === canonical(b);
}

function canonical(expr: string): string {
  return expr
    .replace(/^(\s*\w+)\s*(\([\s\S]*\))\s*((?:by|without)\s*\([^)]*\))\s*$/i, '$1 $3 $2')
    .replace(/`([^`"\\]*)`/g, '"$1"')
    .replace(/\s+/g, '');
}
