import React, { useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { ConfigSection } from '@grafana/plugin-ui';
import { config } from '@grafana/runtime';
import { ClipboardButton, InlineField, Input, Tab, TabContent, TabsBar, useStyles2 } from '@grafana/ui';

import { AGENTS, TOKEN_PLACEHOLDER } from '../../config/agents';
import { formatAgo } from '../../config/format';
import { pushUrl } from '../../config/urls';
import { TestLine } from './TestLine';

interface Props {
  uid: string;
  lastReceived?: string;
  /** Called when a line was sent from here. */
  onSent: () => void;
}

export function AgentsSection({ uid, lastReceived, onSent }: Props) {
  const styles = useStyles2(getStyles);
  const [selected, setSelected] = useState(AGENTS[0].id);
  const agent = AGENTS.find(({ id }) => id === selected) ?? AGENTS[0];
  const appUrl = config.appUrl || window.location.origin;
  const url = pushUrl(appUrl, uid);
  const text = agent.config({ appUrl, uid, token: TOKEN_PLACEHOLDER });

  return (
    <ConfigSection
      title="Agents"
      description="Any agent that speaks the Loki push protocol or OTLP can send logs here. It signs in with a Grafana service account token."
    >
      <InlineField label="Push URL" labelWidth={14} grow>
        <Input
          id="cambium-push-url"
          readOnly
          value={url}
          addonAfter={
            <ClipboardButton icon="copy" variant="secondary" getText={() => url} aria-label="Copy push URL">
              Copy
            </ClipboardButton>
          }
        />
      </InlineField>
      <p>Last line received: {formatAgo(lastReceived)}</p>
      <TestLine uid={uid} onSent={onSent} />
      <ol className={styles.steps}>
        <li>
          Create a service account with the role <strong>Editor</strong> under{' '}
          <a className="external-link" href={`${config.appSubUrl ?? ''}/org/serviceaccounts`}>
            Administration → Users and access → Service accounts
          </a>
          , and add a token to it.
        </li>
        <li>
          Copy a configuration below and put the token in place of <code>{TOKEN_PLACEHOLDER}</code>.
        </li>
      </ol>
      <TabsBar>
        {AGENTS.map(({ id, name }) => (
          <Tab key={id} label={name} active={id === selected} onChangeTab={() => setSelected(id)} />
        ))}
      </TabsBar>
      <TabContent>
        <div className={styles.bar}>
          <span>{agent.file ?? 'In a terminal'}</span>
          <ClipboardButton icon="copy" variant="secondary" size="sm" getText={() => text}>
            Copy
          </ClipboardButton>
        </div>
        <pre className={styles.code} data-testid="cambium-agent-config">
          {text}
        </pre>
      </TabContent>
    </ConfigSection>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  steps: css({ margin: theme.spacing(1, 0, 2, 3) }),
  bar: css({
    display: 'flex',
    justifyContent: 'space-between',
    alignItems: 'center',
    padding: theme.spacing(1, 0),
    color: theme.colors.text.secondary,
  }),
  code: css({ maxHeight: 420, overflow: 'auto' }),
});
