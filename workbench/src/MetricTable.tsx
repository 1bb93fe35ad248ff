import React from 'react';
import { css } from '@emotion/css';

import { Series, labelText } from './frames';

/** The last value of every series. */
export function MetricTable({ series }: { series: Series[] }) {
  return (
    <table className={styles.table} data-testid="metric-table">
      <thead>
        <tr>
          <th>Series</th>
          <th>Points</th>
          <th>Last value</th>
        </tr>
      </thead>
      <tbody>
        {series.slice(0, 200).map((one) => (
          <tr key={one.name + labelText(one.labels)}>
            <td>{labelText(one.labels) || one.name}</td>
            <td>{one.values.length}</td>
            <td>{one.values[one.values.length - 1] ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const styles = {
  table: css({
    width: '100%',
    marginTop: 12,
    fontSize: 13,
    'th, td': { padding: '3px 8px', textAlign: 'left', borderBottom: '1px solid rgba(128,128,128,0.25)' },
  }),
};
