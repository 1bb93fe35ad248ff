import React, { useState } from 'react';
import { DataSourceApi, DataSourceSettings } from '@grafana/data';
import { getBackendSrv } from '@grafana/runtime';
import { Alert, Button, Stack } from '@grafana/ui';
import { css } from '@emotion/css';

import { AnyPlugin, StoredDataSource } from './plugin';

interface Props {
  plugin: AnyPlugin;
  stored: StoredDataSource;
  datasource: DataSourceApi;
  onSaved: (stored: StoredDataSource) => void;
}

/** The plugin's configuration page with the button that Grafana puts under it. */
export function ConfigPage({ plugin, stored, datasource, onSaved }: Props) {
  const ConfigEditor = plugin.components.ConfigEditor!;
  const [options, setOptions] = useState(() => stored as unknown as DataSourceSettings);
  const [result, setResult] = useState<{ ok: boolean; message: string }>();

  const saveAndTest = async () => {
    setResult(undefined);
    try {
      const url = `/api/datasources/uid/${stored.uid}`;
      await getBackendSrv().put(url, options);
      const next = await getBackendSrv().get<StoredDataSource>(url);
      setOptions(next as unknown as DataSourceSettings);
      onSaved(next);
      const health = (await datasource.testDatasource()) as { status: string; message: string };
      setResult({ ok: health.status === 'success', message: health.message });
    } catch (error) {
      setResult({ ok: false, message: messageOf(error) });
    }
  };

  return (
    <div className={styles.page} data-testid="config-page">
      <Stack direction="column" gap={2}>
        <ConfigEditor options={options} onOptionsChange={setOptions} />
        {result && (
          <Alert severity={result.ok ? 'success' : 'error'} title={result.message} data-testid="health-result" />
        )}
        <div>
          <Button onClick={saveAndTest} data-testid="save-and-test">
            Save &amp; test
          </Button>
        </div>
      </Stack>
    </div>
  );
}

function messageOf(error: unknown): string {
  const { message, data } = (error ?? {}) as { message?: string; data?: { message?: string } };
  return data?.message ?? message ?? String(error);
}

const styles = { page: css({ maxWidth: 900, margin: '16px auto' }) };
