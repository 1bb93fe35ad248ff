import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { ConfigSection } from '@grafana/plugin-ui';
import { Alert, Button, useStyles2 } from '@grafana/ui';

import { formatAgo, formatBytes, formatCount, formatRatio } from '../../config/format';
import { StorageStatus } from '../../types';
import { StatusState } from './useStatus';

export function ConnectionSection({ status, error, reload }: StatusState) {
  const styles = useStyles2(getStyles);

  return (
    <ConfigSection
      title="Connection"
      description="Where the logs are, how much they take, and how long they stay. Point an agent at the push URL below to add some."
    >
      {error && (
        <Alert severity="warning" title="The storage did not answer">
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
        Refresh
      </Button>
    </ConfigSection>
  );
}

/** The status as a reader wants it: names and values, in order of interest. */
export function statusRows(status: StorageStatus): Array<[string, string]> {
  const ratio = formatRatio(status.rawBytes, status.bytes);
  return [
    ['Location', status.location || '–'],
    ['Stored', `${formatBytes(status.bytes)}${ratio && ` (${formatBytes(status.rawBytes)} raw, ${ratio} smaller)`}`],
    ['Entries', `${formatCount(status.entries)} in ${formatCount(status.streams)} streams`],
    ['Oldest entry', formatAgo(status.oldest)],
    ['Newest entry', formatAgo(status.newest)],
    ['Last received', formatAgo(status.lastReceived)],
    ['Retention', !status.retention || status.retention === 'forever' ? 'for ever' : status.retention],
    ['Tenant', status.tenant || '–'],
    ...(status.version ? [['Version', status.version] as [string, string]] : []),
  ];
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
