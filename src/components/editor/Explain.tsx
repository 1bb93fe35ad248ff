import React from 'react';
import { css } from '@emotion/css';
import { DataFrame, GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';

import { explain } from '../../builder/explain';
import { PlanRead, Told, explained } from '../../builder/plan';
import { t } from '../../i18n';

interface Props {
  expr: string;
  refId: string;
  /** Of the last answer: the plan that the engine made, and what came of it. */
  frames?: DataFrame[];
}

/** What a query means, step by step, and how the engine worked it when it ran last. */
export function Explain({ expr, refId, frames }: Props) {
  const styles = useStyles2(getStyles);
  const steps = explain(expr);
  const ran = explained(frames, refId);
  return (
    <div className={styles.box}>
      <ol className={styles.list} data-testid="cambium-explain">
        {steps.map(({ text, says }, i) => (
          <li key={i}>
            <code>{text}</code> {says}
          </li>
        ))}
        {!steps.length && <span>{t('explain.empty', 'Write a query to have it explained.')}</span>}
      </ol>
      {!ran && steps.length > 0 && (
        <p>{t('explain.not-run', 'Run the query to see how it is worked and what it reads.')}</p>
      )}
      {ran && (
        <div className={styles.columns} data-testid="cambium-plan">
          <div>
            {ran.plan.reads.map((read, i) => (
              <Rows key={i} title={<code>{read.expression}</code>} rows={rowsOf(read)} />
            ))}
            {ran.plan.promql && <Rows title={t('explain.above', 'Computed with that')} rows={[]} />}
            {ran.plan.promql && <code>{ran.plan.promql}</code>}
            {ran.plan.notes?.map((note) => (
              <p key={note}>{note}</p>
            ))}
          </div>
          <Rows title={t('explain.did', 'What it did')} rows={ran.did} />
        </div>
      )}
    </div>
  );
}

function rowsOf({ matchers, literals, labels, allLabels, folded, strategy }: PlanRead): Told[] {
  const extracted = allLabels
    ? t('explain.all-labels', 'all')
    : labels?.join(', ') || t('explain.no-labels', 'none: no line has to be taken apart');
  return [
    { name: t('explain.streams', 'Streams'), value: matchers },
    { name: t('explain.literals', 'A line must contain'), value: literals?.join(', ') ?? '' },
    { name: t('explain.labels', 'Labels taken out'), value: extracted },
    { name: t('explain.folded', 'Aggregated while reading'), value: folded ?? '' },
    { name: t('explain.strategy', 'How'), value: strategy },
  ].filter(({ value }) => value);
}

function Rows({ title, rows }: { title: React.ReactNode; rows: Told[] }) {
  const styles = useStyles2(getStyles);
  return (
    <div>
      <strong>{title}</strong>
      <dl className={styles.rows}>
        {rows.map(({ name, value }) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
      </dl>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  box: css({ color: theme.colors.text.secondary }),
  list: css({ margin: theme.spacing(0, 0, 1), paddingLeft: theme.spacing(3) }),
  columns: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1, 4), '& > *': { minWidth: 0 } }),
  rows: css({
    display: 'grid',
    gridTemplateColumns: 'max-content 1fr',
    columnGap: theme.spacing(2),
    margin: theme.spacing(0.5, 0, 1),
    fontSize: theme.typography.bodySmall.fontSize,
    dt: { fontWeight: theme.typography.fontWeightRegular },
    dd: { margin: 0, color: theme.colors.text.primary, overflowWrap: 'anywhere' },
  }),
});
