import React, { useState } from 'react';
import { TimeRange } from '@grafana/data';
import { Button, InlineSwitch, LinkButton, RadioButtonGroup, Stack, Text } from '@grafana/ui';

import { LabelBrowser } from '../../browser/LabelBrowser';
import { replaceSelector } from '../../browser/selection';
import { t } from '../../i18n';
import { LabelClient } from '../../labels/client';
import { selectorsOf } from '../../logql/kind';
import { EditorMode } from '../../types';

interface Props {
  expr: string;
  mode: EditorMode;
  explain: boolean;
  labels?: LabelClient;
  range?: TimeRange;
  estimate?: string;
  /** Address of everything that the query matches; undefined when that cannot be downloaded. */
  download?: string;
  onExpr: (expr: string) => void;
  onMode: (mode: EditorMode) => void;
  onExplain: (explain: boolean) => void;
}

const modes = (): Array<{ value: EditorMode; label: string }> => [
  { value: 'builder', label: t('editor.builder', 'Builder') },
  { value: 'code', label: t('editor.mode-code', 'Code') },
];

export function Toolbar({ expr, mode, explain, labels, range, estimate, download, onExpr, onMode, onExplain }: Props) {
  const [browsing, setBrowsing] = useState(false);
  const [problem, setProblem] = useState<string>();
  const format = () => {
    setProblem(undefined);
    labels
      ?.format(expr)
      .then(onExpr, () => setProblem(t('editor.cannot-format', 'The query is not complete: it cannot be formatted')));
  };

  return (
    <Stack direction="row" gap={1} alignItems="center" wrap="wrap">
      <Button size="sm" variant="secondary" icon="search" onClick={() => setBrowsing(true)}>
        {t('browser.title', 'Label browser')}
      </Button>
      <Button size="sm" variant="secondary" fill="text" onClick={format} disabled={!expr.trim()}>
        {t('editor.format', 'Format')}
      </Button>
      <LinkButton
        size="sm"
        variant="secondary"
        fill="text"
        icon="download-alt"
        tooltip={t('editor.download-tip', 'Every line that matches in the time range, as NDJSON')}
        disabled={!download}
        href={download ?? '#'}
        download="cambium.ndjson"
      >
        {t('editor.download', 'Download')}
      </LinkButton>
      <InlineSwitch
        id="cambium-explain"
        label={t('editor.explain', 'Explain')}
        showLabel
        transparent
        value={explain}
        onChange={(event) => onExplain(event.currentTarget.checked)}
      />
      <div style={{ flex: 1 }} role="status">
        <Text variant="bodySmall" color={problem ? 'warning' : 'secondary'}>
          {problem ?? estimate ?? ''}
        </Text>
      </div>
      <RadioButtonGroup
        aria-label={t('editor.mode', 'Editor mode')}
        size="sm"
        options={modes()}
        value={mode}
        onChange={onMode}
      />
      {browsing && labels && (
        <LabelBrowser
          labels={labels}
          range={range}
          onClose={() => setBrowsing(false)}
          onApply={(selector) => {
            onExpr(replaceSelector(expr, selector, selectorsOf(expr)[0]));
            setBrowsing(false);
          }}
        />
      )}
    </Stack>
  );
}
