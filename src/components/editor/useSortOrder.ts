import { useEffect, useRef } from 'react';
import { CoreApp, LogSortOrderChangeEvent, LogsSortOrder } from '@grafana/data';
import { getAppEvents } from '@grafana/runtime';

import { isMetricQuery } from '../../logql/kind';
import { directionOf } from '../../query';
import { CambiumQuery } from '../../types';

/**
 * In Explore, whoever turns the list around wants the lines of its other end, not the same lines upside down: the
 * direction of the query follows the order of the list.
 */
export function useSortOrder(
  app: CoreApp | undefined,
  query: CambiumQuery,
  onChange: (query: CambiumQuery) => void,
  onRunQuery: () => void
): void {
  const current = useRef({ query, onChange, onRunQuery });
  useEffect(() => {
    current.current = { query, onChange, onRunQuery };
  });

  useEffect(() => {
    if (app !== CoreApp.Explore) {
      return undefined;
    }
    const subscription = getAppEvents().subscribe(LogSortOrderChangeEvent, ({ payload }) => {
      const latest = current.current;
      const direction = payload.order === LogsSortOrder.Ascending ? 'forward' : 'backward';
      if (direction !== directionOf(latest.query) && !isMetricQuery(latest.query.expr ?? '')) {
        latest.onChange({ ...latest.query, direction });
        latest.onRunQuery();
      }
    });
    return () => subscription.unsubscribe();
  }, [app]);
}
