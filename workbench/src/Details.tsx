import React, { useState } from 'react';
import { DataQuery, DataSourceApi, ToggleFilterAction } from '@grafana/data';
import { Button, ClipboardButton, IconButton, useTheme2 } from '@grafana/ui';
import { css } from '@emotion/css';

import { lineAddress } from './address';
import { Context } from './Context';
import { Row } from './frames';

interface Props {
  row: Row;
  datasource: DataSourceApi;
  query: DataQuery;
  onClose: () => void;
  onQuery: (query: DataQuery) => void;
}

interface FilterSupport {
  toggleQueryFilter?: (query: DataQuery, filter: ToggleFilterAction) => DataQuery;
  getLabelDisplayTypeFromFrame?: (key: string, frame: Row['frame'], index: number) => string | null;
}

/** Labels of a line, each with buttons that filter for it or out. */
export function Details({ row, datasource, query, onClose, onQuery }: Props) {
  const theme = useTheme2();
  const [context, setContext] = useState(false);
  const filters = datasource as FilterSupport;
  const toggle = (type: ToggleFilterAction['type'], key: string, value: string) =>
    onQuery(filters.toggleQueryFilter!(query, { type, options: { key, value }, frame: row.frame }));

  return (
    <aside className={styles.box} style={{ borderColor: theme.colors.border.weak }} data-testid="log-details">
      <div className={styles.head}>
        <strong>Line</strong>
        <IconButton name="times" tooltip="Close details" onClick={onClose} />
      </div>
      <pre className={styles.body}>{row.body}</pre>
      <Button size="sm" variant="secondary" onClick={() => setContext(true)} data-testid="show-context">
        Show context
      </Button>
      <ClipboardButton
        size="sm"
        variant="secondary"
        icon="link"
        getText={() => lineAddress((query as { expr?: string }).expr ?? '', row.id, row.time)}
      >
        Copy link to line
      </ClipboardButton>
      {context && <Context row={row} datasource={datasource} query={query} onClose={() => setContext(false)} />}
      <table className={styles.table}>
        <tbody>
          {Object.entries(row.labels).map(([key, value]) => (
            <tr key={key} data-testid={`label-${key}`}>
              <td>
                {filters.toggleQueryFilter && (
                  <>
                    <IconButton
                      name="search-plus"
                      tooltip={`Filter for ${key}`}
                      onClick={() => toggle('FILTER_FOR', key, value)}
                    />
                    <IconButton
                      name="search-minus"
                      tooltip={`Filter out ${key}`}
                      onClick={() => toggle('FILTER_OUT', key, value)}
                    />
                  </>
                )}
              </td>
              <td title={filters.getLabelDisplayTypeFromFrame?.(key, row.frame, row.index) ?? undefined}>{key}</td>
              <td>{value}</td>
            </tr>
          ))}
          {derivedOf(row).map(({ name, value, link }) => (
            <tr key={name} data-testid={`derived-${name}`}>
              <td />
              <td>{name}</td>
              <td>{link ? <a href={link}>{value}</a> : value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </aside>
  );
}

/** Fields beside the labels: what the data source's derived fields took out of the line. */
function derivedOf({ frame, index }: Row) {
  return frame.fields
    .filter(({ config, values }) => config.links?.length && values[index])
    .map(({ name, config, values }) => {
      const value = String(values[index]);
      const link = config.links![0].url.replace('${__value.raw}', encodeURIComponent(value));
      return { name, value, link };
    });
}

const styles = {
  box: css({
    width: 420,
    flexShrink: 0,
    border: '1px solid',
    padding: 8,
    maxHeight: 480,
    overflow: 'auto',
    fontSize: 12,
  }),
  head: css({ display: 'flex', justifyContent: 'space-between' }),
  body: css({ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontSize: 12 }),
  table: css({ width: '100%', td: { padding: '2px 6px', verticalAlign: 'top', overflowWrap: 'anywhere' } }),
};
