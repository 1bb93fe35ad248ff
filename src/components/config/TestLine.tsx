import React, { useState } from 'react';
import { getBackendSrv } from '@grafana/runtime';
import { Button, Stack, Text } from '@grafana/ui';

import { StoreApi } from '../../config/api';
import { t } from '../../i18n';
import { errorText } from './useStatus';

interface Props {
  uid: string;
  onSent: () => void;
}

/** Sends a line through the push route, to see the way in work before an agent is set up. */
export function TestLine({ uid, onSent }: Props) {
  const [result, setResult] = useState<{ ok: boolean; text: string }>();
  const send = async () => {
    try {
      await new StoreApi(getBackendSrv(), uid).pushTestLine('A test line from the configuration page', Date.now());
      setResult({
        ok: true,
        text: t('config.agents.received', 'Received. Find it with {{query}}', { query: '{job="cambium-test"}' }),
      });
      onSent();
    } catch (error) {
      setResult({ ok: false, text: errorText(error) });
    }
  };
  return (
    <Stack direction="row" gap={2} alignItems="center">
      <Button size="sm" variant="secondary" icon="upload" onClick={send}>
        {t('config.agents.send', 'Send a test line')}
      </Button>
      <span role="status" data-testid="cambium-test-line">
        {result && <Text color={result.ok ? 'success' : 'error'}>{result.text}</Text>}
      </span>
    </Stack>
  );
}
