import { AdHocVariableFilter } from '@grafana/data';

import { LabelPlace, addMatcher } from '../logql/edit';
import { escapeRegex } from '../logql/quote';
import { LabelMatcher, MatcherOp } from '../logql/tree';

/** Puts a dashboard's ad-hoc filters into a query. `indexed` are the labels that may stand in a selector. */
export function applyAdHocFilters(
  expr: string,
  filters: AdHocVariableFilter[] | undefined,
  indexed: ReadonlySet<string>
): string {
  return (filters ?? []).reduce((text, filter) => {
    const matcher = matcherOf(filter);
    const place: LabelPlace = indexed.has(filter.key) ? 'selector' : 'pipeline';
    return matcher ? addMatcher(text, matcher, place) : text;
  }, expr);
}

/** The comparison that a filter stands for; undefined for one that is not filled in. */
export function matcherOf({ key, operator, value, values }: AdHocVariableFilter): LabelMatcher | undefined {
  if (!key || !/^[A-Za-z_]\w*$/.test(key)) {
    return undefined;
  }
  const many = values?.length ? values : [value];
  switch (operator) {
    case '=|':
      return { label: key, op: '=~', value: many.map(escapeRegex).join('|') };
    case '!=|':
      return { label: key, op: '!~', value: many.map(escapeRegex).join('|') };
    case '=':
    case '!=':
    case '=~':
    case '!~':
      return { label: key, op: operator as MatcherOp, value };
    default:
      return undefined;
  }
}

/** The selector of all filters on stream labels: what narrows the values that are offered for another one. */
export function selectorOf(filters: AdHocVariableFilter[] | undefined, indexed: ReadonlySet<string>): string {
  const narrow = (filters ?? []).filter(({ key }) => indexed.has(key));
  return applyAdHocFilters('{}', narrow, indexed);
}
