import React, { useEffect, useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Checkbox, Input, Text, useStyles2 } from '@grafana/ui';

import { t } from '../i18n';

interface Props {
  label: string;
  chosen: string[];
  /** The values are loaded again when this changes. */
  narrowedBy: string;
  load: () => Promise<string[]>;
  onToggle: (value: string) => void;
}

/** More than this in a column helps nobody find a value; searching does. */
const SHOWN = 200;

export function ValueList({ label, chosen, narrowedBy, load, onToggle }: Props) {
  const styles = useStyles2(getStyles);
  const [values, setValues] = useState<string[]>();
  const [search, setSearch] = useState('');

  useEffect(() => {
    let gone = false;
    load().then(
      (loaded) => !gone && setValues(loaded),
      () => !gone && setValues([])
    );
    return () => {
      gone = true;
    };
    // `load` is a new function at each render; what it asks depends on these.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [label, narrowedBy]);

  const matching = [...new Set([...chosen, ...(values ?? [])])].filter((value) => value.includes(search));
  return (
    <div className={styles.column} role="group" aria-label={t('browser.values', 'Values of {{label}}', { label })}>
      <Text weight="medium">{`${label} (${values?.length ?? '…'})`}</Text>
      <Input
        aria-label={t('browser.search-values-of', 'Search values of {{label}}', { label })}
        placeholder={t('browser.search-values', 'Search values')}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <div className={styles.values}>
        {matching.slice(0, SHOWN).map((value) => (
          <Checkbox key={value} label={value} value={chosen.includes(value)} onChange={() => onToggle(value)} />
        ))}
        {matching.length > SHOWN && (
          <Text color="secondary">{t('browser.more', '{{n}} more', { n: matching.length - SHOWN })}</Text>
        )}
      </div>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  column: css({ width: 240, flexShrink: 0, display: 'flex', flexDirection: 'column', gap: theme.spacing(1) }),
  values: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(0.5), maxHeight: 260, overflow: 'auto' }),
});
