import { CoreApp, EventBusSrv, LogSortOrderChangeEvent, LogsSortOrder } from '@grafana/data';
import { renderHook } from '@testing-library/react';

import { useSortOrder } from './useSortOrder';

const events = new EventBusSrv();

jest.mock('@grafana/runtime', () => ({ getAppEvents: () => events }));

function turn(order: LogsSortOrder, expr = '{a="b"}', app = CoreApp.Explore) {
  const onChange = jest.fn();
  const { unmount } = renderHook(() => useSortOrder(app, { refId: 'A', expr }, onChange, jest.fn()));
  events.publish(new LogSortOrderChangeEvent({ order }));
  unmount();
  return onChange;
}

it('follows the order of the list', () => {
  expect(turn(LogsSortOrder.Ascending)).toHaveBeenCalledWith({ refId: 'A', expr: '{a="b"}', direction: 'forward' });
});

it('changes nothing that is so already, no metric query, and nothing outside of Explore', () => {
  expect(turn(LogsSortOrder.Descending)).not.toHaveBeenCalled();
  expect(turn(LogsSortOrder.Ascending, 'rate({a="b"}[5m])')).not.toHaveBeenCalled();
  expect(turn(LogsSortOrder.Ascending, '{a="b"}', CoreApp.Dashboard)).not.toHaveBeenCalled();
});
