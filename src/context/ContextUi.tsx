import React, { useState } from 'react';
import { LogRowModel } from '@grafana/data';
import { Button, FilterPill, Stack, Text } from '@grafana/ui';

import { t } from '../i18n';
import { ContextProvider } from './provider';
import { contextLabels } from './query';

interface Props {
  row: LogRowModel;
  provider: ContextProvider;
  /** Reads the lines again with the labels that are chosen now. */
  onChange: () => void;
}

/** Chooses which labels of the line its neighbours must share: fewer labels, a wider context. */
export function ContextUi({ row, provider, onChange }: Props) {
  const [labels, setLabels] = useState(() => provider.labelsOf(row));
  const choose = (next: typeof labels) => {
    setLabels(next);
    provider.choose(row, next);
    onChange();
  };
  const enabled = labels.filter((label) => label.enabled).length;

  return (
    <Stack direction="column" gap={1}>
      <Text variant="bodySmall" color="secondary">
        {t('context.labels', 'Lines with all of these labels. Switch one off for a wider context.')}
      </Text>
      <Stack direction="row" gap={1} wrap="wrap">
        {labels.map((label) => (
          <FilterPill
            key={label.name}
            label={`${label.name}="${label.value}"`}
            selected={label.enabled}
            // A selector without any label would be everything.
            onClick={() =>
              (enabled > 1 || !label.enabled) &&
              choose(labels.map((one) => (one === label ? { ...one, enabled: !one.enabled } : one)))
            }
          />
        ))}
        <Button
          size="sm"
          variant="secondary"
          fill="text"
          disabled={enabled === labels.length}
          onClick={() => choose(contextLabels(row))}
        >
          {t('context.revert', 'Revert')}
        </Button>
      </Stack>
    </Stack>
  );
}
