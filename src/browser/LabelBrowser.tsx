import React, { useEffect, useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2, TimeRange } from '@grafana/data';
import { Button, FilterPill, Input, Modal, Stack, Text, useStyles2 } from '@grafana/ui';

import { t } from '../i18n';
import { LabelClient } from '../labels/client';
import { ValueList } from './ValueList';
import { Selection, selectionSelector, toggleLabel, toggleValue } from './selection';

interface Props {
  labels: LabelClient;
  range?: TimeRange;
  onApply: (selector: string) => void;
  onClose: () => void;
}

/** Choose streams by looking at what labels and values there are. */
export function LabelBrowser({ labels, range, onApply, onClose }: Props) {
  const styles = useStyles2(getStyles);
  const [names, setNames] = useState<string[]>();
  const [error, setError] = useState<string>();
  const [search, setSearch] = useState('');
  const [selection, setSelection] = useState<Selection>({});

  useEffect(() => {
    labels.labelNames(range).then(setNames, (reason) => setError(String(reason?.data ?? reason?.message ?? reason)));
    // Once: the browser shows the labels of the moment at which it was opened.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const shown = (names ?? []).filter((name) => name.includes(search) || name in selection);
  const selector = selectionSelector(selection);

  return (
    <Modal title={t('browser.title', 'Label browser')} isOpen onDismiss={onClose} className={styles.modal}>
      <Stack direction="column" gap={2}>
        <Input
          aria-label={t('browser.search', 'Search labels')}
          placeholder={t('browser.search', 'Search labels')}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Text variant="bodySmall" color="secondary">
          {error ??
            (names
              ? t('browser.found', 'Labels: {{n}}. Choose some to see their values.', { n: names.length })
              : t('browser.loading', 'Loading labels…'))}
        </Text>
        <div className={styles.pills} role="group" aria-label={t('browser.labels', 'Labels')}>
          {shown.map((name) => (
            <FilterPill
              key={name}
              label={name}
              selected={name in selection}
              onClick={() => setSelection(toggleLabel(selection, name))}
            />
          ))}
        </div>
        <div className={styles.columns}>
          {Object.entries(selection).map(([label, chosen]) => (
            <ValueList
              key={label}
              label={label}
              chosen={chosen}
              load={() => labels.labelValues(label, range, selectionSelector(selection, label))}
              narrowedBy={selectionSelector(selection, label)}
              onToggle={(value) => setSelection(toggleValue(selection, label, value))}
            />
          ))}
        </div>
        <code data-testid="cambium-browser-selector">{selector}</code>
      </Stack>
      <Modal.ButtonRow>
        <Button variant="secondary" fill="outline" onClick={() => setSelection({})}>
          {t('browser.clear', 'Clear')}
        </Button>
        <Button disabled={selector === '{}'} onClick={() => onApply(selector)}>
          {t('browser.use', 'Use selector')}
        </Button>
      </Modal.ButtonRow>
    </Modal>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  modal: css({ width: 900, maxWidth: '95vw' }),
  pills: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1), maxHeight: 140, overflow: 'auto' }),
  columns: css({ display: 'flex', gap: theme.spacing(2), overflowX: 'auto', minHeight: 60 }),
});
