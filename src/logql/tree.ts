import {
  Identifier,
  LabelFilter,
  LineFormatExpr,
  LogExpr,
  LogRangeExpr,
  Matcher,
  PipelineExpr,
  PipelineStage,
  Selector,
  String as StringLiteral,
  parser,
} from '@grafana/lezer-logql';
import type { SyntaxNode } from '@lezer/common';

import { unquote } from './quote';
import { maskVariables } from './variables';

export type MatcherOp = '=' | '!=' | '=~' | '!~';

export interface LabelMatcher {
  label: string;
  op: MatcherOp;
  value: string;
}

export interface PlacedMatcher extends LabelMatcher {
  from: number;
  to: number;
}

/** One stage of a pipeline. `matcher` is set for a stage that is one comparison of a label with a string. */
export interface PlacedStage {
  from: number;
  to: number;
  text: string;
  matcher?: PlacedMatcher;
  /** True for a line filter (`|= …`). */
  line: boolean;
}

/** A selector with its pipeline: a log query has one, a metric query one for each range. */
export interface LogPart {
  selector: { from: number; to: number };
  matchers: PlacedMatcher[];
  stages: PlacedStage[];
  /** True when a stage rewrites the line, so that what is seen is not what is stored. */
  rewritesLine: boolean;
}

export function logParts(expr: string): LogPart[] {
  const parts: LogPart[] = [];
  const root = parser.parse(maskVariables(expr)).topNode;
  for (const selector of descendants(root, Selector)) {
    const owner = selector.parent;
    if (owner && (owner.type.id === LogExpr || owner.type.id === LogRangeExpr)) {
      const pipeline = owner.getChild(PipelineExpr);
      const stages = pipeline ? descendants(pipeline, PipelineStage) : [];
      parts.push({
        selector: { from: selector.from, to: selector.to },
        matchers: descendants(selector, Matcher).flatMap((node) => matcherOf(expr, node) ?? []),
        stages: stages.map((node) => stageOf(expr, node)),
        rewritesLine: stages.some((node) => rewrites(expr, node)),
      });
    }
  }
  return parts;
}

function rewrites(expr: string, stage: SyntaxNode): boolean {
  return (
    descendants(stage, LineFormatExpr).length > 0 ||
    /^\|\s*(unpack|decolorize)\b/.test(expr.slice(stage.from, stage.to))
  );
}

function stageOf(expr: string, node: SyntaxNode): PlacedStage {
  const text = expr.slice(node.from, node.to);
  const filter = node.getChild(LabelFilter);
  const inner = filter?.getChild(Matcher);
  return {
    from: node.from,
    to: node.to,
    text,
    matcher: filter && inner && inner.to === filter.to ? matcherOf(expr, inner) : undefined,
    line: !filter && /^(\|[=~>]|![=~>])/.test(text),
  };
}

function matcherOf(expr: string, node: SyntaxNode): PlacedMatcher | undefined {
  const label = node.getChild(Identifier);
  const literal = node.getChild(StringLiteral);
  if (!label || !literal) {
    return undefined;
  }
  return {
    label: expr.slice(label.from, label.to),
    op: expr.slice(label.to, literal.from).trim() as MatcherOp,
    value: unquote(expr.slice(literal.from, literal.to)),
    from: node.from,
    to: node.to,
  };
}

/** Nodes of a type below a node, in the order of the text. */
export function descendants(node: SyntaxNode, type: number): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  const cursor = node.cursor();
  const end = node.to;
  do {
    if (cursor.from > end || (cursor.from === end && cursor.to > end)) {
      break;
    }
    if (cursor.type.id === type) {
      found.push(cursor.node);
    }
  } while (cursor.next() && cursor.from <= end);
  // The cursor walks on past the subtree; what ends behind it is not below it.
  return found.filter(({ from, to }) => from >= node.from && to <= end);
}
