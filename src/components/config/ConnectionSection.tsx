import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { ConfigSection } from '@grafana/plugin-ui';
import { Alert, Button, useStyles2 } from '@grafana/ui';

import { formatAgo, formatBytes, formatCount, formatRatio } from '../../config/format';
import { t } from '../../i18n';
import { StorageStatus } from '../../types';
import { StatusState } from './useStatus';

export function ConnectionSection({ status, error, reload }: StatusState) {
  const styles = useStyles2(getStyles);

  return (
    <ConfigSection
      title={t('config.connection.title', 'Connection')}
      description={t(
        'config.connection.about',
        'Where the logs are, how much they take, and how long they stay. Point an agent at the push URL below to add some.'
      )}
    >
      {error && (
        <Alert severity="warning" title={t('config.connection.no-answer', 'The storage did not answer')}>
          {error}
        </Alert>
      )}
      {status && (
        <dl className={styles.list} data-testid="cambium-status">
          {statusRows(status).map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </React.Fragment>
          ))}
        </dl>
      )}
      <Button variant="secondary" size="sm" icon="sync" fill="outline" onClick={reload}>
        {t('config.connection.refresh', 'Refresh')}
      </Button>
    </ConfigSection>
  );
}

/** The status as a reader wants it: names and values, in order of interest. */
export function statusRows(status: StorageStatus): Array<[string, string]> {
  const ratio = formatRatio(status.rawBytes, status.bytes);
  return [
    [t('config.connection.location', 'Location'), status.location || '–'],
    [t('config.connection.stored', 'Stored'), ratio ? compressed(status, ratio) : formatBytes(status.bytes)],
    [
      t('config.connection.entries', 'Entries'),
      t('config.connection.in-streams', '{{entries}} in {{streams}} streams', {
        entries: formatCount(status.entries),
        streams: formatCount(status.streams),
      }),
    ],
    [t('config.connection.oldest', 'Oldest entry'), formatAgo(status.oldest)],
    [t('config.connection.newest', 'Newest entry'), formatAgo(status.newest)],
    [t('config.connection.received', 'Last received'), formatAgo(status.lastReceived)],
    [
      t('config.connection.retention', 'Retention'),
      !status.retention || status.retention === 'forever'
        ? t('config.connection.for-ever', 'for ever')
        : status.retention,
    ],
    [t('config.connection.tenant', 'Tenant'), status.tenant || '–'],
    ...(status.version ? [[t('config.connection.version', 'Version'), status.version] as [string, string]] : []),
  ];
}

function compressed({ bytes, rawBytes }: StorageStatus, ratio: string): string {
  return t('config.connection.compressed', '{{bytes}} ({{raw}} raw, {{ratio}} smaller)', {
    bytes: formatBytes(bytes),
    raw: formatBytes(rawBytes),
    ratio,
  });
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({
    display: 'grid',
    gridTemplateColumns: 'max-content 1fr',
    columnGap: theme.spacing(3),
    rowGap: theme.spacing(0.5),
    marginBottom: theme.spacing(2),
    dt: { color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightRegular },
    dd: { margin: 0, overflowWrap: 'anywhere' },
  }),
});
