import React, { useEffect, useMemo, useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2, TimeRange, dateTimeFormat, getDefaultTimeRange } from '@grafana/data';
import { ConfigSection } from '@grafana/plugin-ui';
import { getBackendSrv } from '@grafana/runtime';
import { Alert, Button, ConfirmModal, InlineField, Stack, TimeRangeInput, useStyles2 } from '@grafana/ui';

import { DeleteRange, DeleteRequest, Preview, StoreApi } from '../../config/api';
import { formatCount } from '../../config/format';
import { t } from '../../i18n';
import { firstProblem } from '../../logql/validate';
import { TextSetting } from './TextSetting';
import { errorText } from './useStatus';

/** Delete logs by a query: what matches is shown first, and the deletion must be confirmed. */
export function DeleteSection({ uid }: { uid: string }) {
  const styles = useStyles2(getStyles);
  const api = useMemo(() => new StoreApi(getBackendSrv(), uid), [uid]);
  const [query, setQuery] = useState('');
  const [range, setRange] = useState<TimeRange>(getDefaultTimeRange);
  const [preview, setPreview] = useState<Preview & { of: DeleteRange }>();
  const [requests, setRequests] = useState<DeleteRequest[]>([]);
  const [confirming, setConfirming] = useState(false);
  const [error, setError] = useState<string>();
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    let gone = false;
    api.deleteRequests().then(
      (list) => !gone && setRequests(Array.isArray(list) ? list : []),
      // Users who may not delete may not list either: they see no list.
      () => undefined
    );
    return () => {
      gone = true;
    };
  }, [api, turn]);

  const attempt = async (work: () => Promise<void>) => {
    setError(undefined);
    try {
      await work();
    } catch (reason) {
      setError(errorText(reason));
    }
  };
  const showPreview = () =>
    attempt(async () => {
      const of = { query, start: Math.floor(range.from.valueOf() / 1000), end: Math.floor(range.to.valueOf() / 1000) };
      setPreview({ ...(await api.preview(of)), of });
    });
  const remove = () =>
    attempt(async () => {
      setConfirming(false);
      await api.requestDelete(preview!.of);
      setPreview(undefined);
      setTurn(turn + 1);
    });
  const invalid = query ? firstProblem(query)?.message : undefined;

  return (
    <ConfigSection
      title={t('config.delete.title', 'Delete logs')}
      description={t(
        'config.delete.about',
        'Lines that match are hidden from queries at once and removed from storage soon after. Needs the Admin role.'
      )}
      isCollapsible
      isInitiallyOpen={false}
    >
      <TextSetting
        id="cambium-delete-query"
        label={t('config.delete.query', 'Query')}
        placeholder='{app="web"} |= "secret"'
        value={query}
        invalid={invalid}
        onChange={(text) => {
          setQuery(text);
          setPreview(undefined);
        }}
      />
      <InlineField label={t('config.delete.range', 'Time range')} labelWidth={24}>
        <TimeRangeInput
          value={range}
          onChange={(next) => {
            setRange(next);
            setPreview(undefined);
          }}
        />
      </InlineField>
      <Stack direction="row" gap={1}>
        <Button variant="secondary" disabled={!query.trim() || Boolean(invalid)} onClick={showPreview}>
          {t('config.delete.preview', 'Show what matches')}
        </Button>
        <Button
          variant="destructive"
          icon="trash-alt"
          disabled={!preview || preview.count === 0}
          onClick={() => setConfirming(true)}
        >
          {t('config.delete.delete', 'Delete')}
        </Button>
      </Stack>
      {error && <Alert severity="error" title={error} />}
      {preview && (
        <div data-testid="cambium-delete-preview">
          <p>
            {preview.count
              ? t('config.delete.matching', 'Matching lines: {{n}}. The newest of them:', {
                  n: formatCount(preview.count),
                })
              : t('config.delete.none', 'No line matches.')}
          </p>
          {preview.lines.length > 0 && <pre className={styles.lines}>{preview.lines.join('\n')}</pre>}
        </div>
      )}
      {requests.length > 0 && (
        <table className={styles.table} aria-label={t('config.delete.requests', 'Delete requests')}>
          <thead>
            <tr>
              <th>{t('config.delete.asked', 'Asked for')}</th>
              <th>{t('config.delete.query', 'Query')}</th>
              <th>{t('config.delete.from', 'From')}</th>
              <th>{t('config.delete.to', 'To')}</th>
              <th>{t('config.delete.status', 'Status')}</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {requests.map((one) => (
              <tr key={one.request_id}>
                <td>{time(one.created_at)}</td>
                <td>
                  <code>{one.query}</code>
                </td>
                <td>{time(one.start_time)}</td>
                <td>{time(one.end_time)}</td>
                <td>{one.status}</td>
                <td>
                  {one.status === 'received' && (
                    <Button
                      size="sm"
                      variant="secondary"
                      onClick={() =>
                        attempt(async () => {
                          await api.cancelDelete(one.request_id);
                          setTurn(turn + 1);
                        })
                      }
                    >
                      {t('config.delete.cancel', 'Cancel')}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ConfirmModal
        isOpen={confirming}
        title={t('config.delete.title', 'Delete logs')}
        body={t('config.delete.confirm', 'Lines to delete: {{n}}, matching {{query}}. They cannot be brought back.', {
          n: formatCount(preview?.count ?? 0),
          query: preview?.of.query ?? '',
        })}
        confirmText={t('config.delete.delete', 'Delete')}
        confirmationText={t('config.delete.delete', 'Delete')}
        onConfirm={remove}
        onDismiss={() => setConfirming(false)}
      />
    </ConfigSection>
  );
}

function time(seconds: number): string {
  return dateTimeFormat(seconds * 1000);
}

const getStyles = (theme: GrafanaTheme2) => ({
  lines: css({ maxHeight: 240, overflow: 'auto', fontSize: theme.typography.bodySmall.fontSize }),
  table: css({
    width: '100%',
    marginTop: theme.spacing(2),
    'th, td': { padding: theme.spacing(0.5, 1), borderBottom: `1px solid ${theme.colors.border.weak}` },
  }),
});
