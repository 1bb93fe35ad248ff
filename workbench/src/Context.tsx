import React, { useCallback, useEffect, useState } from 'react';
import { DataQuery, DataSourceApi, DataSourceWithLogsContextSupport, LogRowContextQueryDirection } from '@grafana/data';
import { Alert, Modal } from '@grafana/ui';

import { Row, rowModel, rowsOf } from './frames';
import { LogList } from './LogList';

interface Props {
  row: Row;
  datasource: DataSourceApi;
  query: DataQuery;
  onClose: () => void;
}

/** The lines before and after a line, newest first, with the line itself between them. */
export function Context({ row, datasource, query, onClose }: Props) {
  const source = datasource as unknown as DataSourceWithLogsContextSupport;
  const [rows, setRows] = useState<Row[]>([row]);
  const [error, setError] = useState<string>();
  const [model] = useState(() => rowModel(row));

  const load = useCallback(async () => {
    setError(undefined);
    try {
      const [after, before] = await Promise.all(
        [LogRowContextQueryDirection.Forward, LogRowContextQueryDirection.Backward].map((direction) =>
          source.getLogRowContext(model, { direction, limit: 50 }, query)
        )
      );
      setRows([...rowsOf(after.data).reverse(), row, ...rowsOf(before.data)]);
    } catch (reason) {
      setError(String((reason as Error).message ?? reason));
    }
  }, [source, model, query, row]);
  useEffect(() => {
    load();
  }, [load]);

  return (
    <Modal title="Log context" isOpen onDismiss={onClose}>
      <div data-testid="log-context" data-rows={rows.length}>
        {source.getLogRowContextUi?.(model, load, query)}
        {error && <Alert severity="error" title={error} />}
        <LogList rows={rows} selected={row} onSelect={() => undefined} height={400} />
      </div>
    </Modal>
  );
}
