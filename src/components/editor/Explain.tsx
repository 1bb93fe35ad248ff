import React from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';

import { explain } from '../../builder/explain';
import { t } from '../../i18n';

/** What a query does, step by step. */
export function Explain({ expr }: { expr: string }) {
  const styles = useStyles2(getStyles);
  const steps = explain(expr);
  return (
    <ol className={styles.list} data-testid="cambium-explain">
      {steps.map(({ text, says }, i) => (
        <li key={i}>
          <code>{text}</code> {says}
        </li>
      ))}
      {!steps.length && <span>{t('explain.empty', 'Write a query to have it explained.')}</span>}
    </ol>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ margin: 0, paddingLeft: theme.spacing(3), color: theme.colors.text.secondary }),
});
