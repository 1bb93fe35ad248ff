import { AbstractLabelMatcher, AbstractLabelOperator, AbstractQuery } from '@grafana/data';

import { matcherText } from './logql/edit';
import { MatcherOp, logParts } from './logql/tree';
import { CambiumQuery } from './types';

// Queries keep their labels when the data source of a panel or of Explore is switched.

const TO_OP: Record<AbstractLabelOperator, MatcherOp> = {
  [AbstractLabelOperator.Equal]: '=',
  [AbstractLabelOperator.NotEqual]: '!=',
  [AbstractLabelOperator.EqualRegEx]: '=~',
  [AbstractLabelOperator.NotEqualRegEx]: '!~',
};

const FROM_OP = Object.fromEntries(Object.entries(TO_OP).map(([name, op]) => [op, name])) as Record<
  MatcherOp,
  AbstractLabelOperator
>;

export function toAbstract({ refId, expr }: CambiumQuery): AbstractQuery {
  const [part] = logParts(expr ?? '');
  const labelMatchers = (part?.matchers ?? []).map(({ label, op, value }): AbstractLabelMatcher => ({
    name: label,
    operator: FROM_OP[op],
    value,
  }));
  return { refId, labelMatchers };
}

export function fromAbstract({ refId, labelMatchers }: AbstractQuery): CambiumQuery {
  const matchers = labelMatchers.map(({ name, operator, value }) =>
    matcherText({ label: name, op: TO_OP[operator], value })
  );
  return { refId, expr: matchers.length ? `{${matchers.join(', ')}}` : '', queryType: 'range' };
}
