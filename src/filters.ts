import { DataFrame, QueryFilterOptions, QueryFixAction, ToggleFilterAction } from '@grafana/data';

import { labelTypeOf, placeOf } from './frames/labelTypes';
import { LabelPlace, addLineFilter, addMatcher, addStage, hasMatcher, toggleMatcher } from './logql/edit';
import { MatcherOp } from './logql/tree';
import { CambiumQuery } from './types';

/** The buttons of log details. */
export function toggleQueryFilter(query: CambiumQuery, { type, options, frame }: ToggleFilterAction): CambiumQuery {
  const op: MatcherOp = type === 'FILTER_FOR' ? '=' : '!=';
  const matcher = { label: options.key, op, value: options.value };
  return { ...query, expr: toggleMatcher(query.expr, matcher, place(options.key, frame)) };
}

export function queryHasFilter(query: CambiumQuery, { key, value }: QueryFilterOptions): boolean {
  return hasMatcher(query.expr, { label: key, op: '=', value });
}

export const QUERY_MODIFICATIONS = ['ADD_FILTER', 'ADD_FILTER_OUT', 'ADD_STRING_FILTER', 'ADD_STRING_FILTER_OUT'];

/** What Explore asks to change: filters from details and tables, selected text, and the fixes of query hints. */
export function modifyQuery(query: CambiumQuery, { type, options, frame }: QueryFixAction): CambiumQuery {
  const { key = '', value = '', stage = '' } = (options ?? {}) as Record<string, string>;
  const change = (expr: string) => ({ ...query, expr });
  switch (type) {
    case 'ADD_FILTER':
      return change(addMatcher(query.expr, { label: key, op: '=', value }, place(key, frame)));
    case 'ADD_FILTER_OUT':
      return change(addMatcher(query.expr, { label: key, op: '!=', value }, place(key, frame)));
    case 'ADD_STRING_FILTER':
      return value ? change(addLineFilter(query.expr, '|=', value)) : query;
    case 'ADD_STRING_FILTER_OUT':
      return value ? change(addLineFilter(query.expr, '!=', value)) : query;
    case 'ADD_STAGE':
      return change(addStage(query.expr, stage));
    default:
      return query;
  }
}

function place(key: string, frame: DataFrame | undefined): LabelPlace {
  return placeOf(labelTypeOf(key, frame, null));
}
