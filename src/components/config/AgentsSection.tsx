import React, { useState } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { ConfigSection } from '@grafana/plugin-ui';
import { config } from '@grafana/runtime';
import { ClipboardButton, InlineField, Input, Tab, TabContent, TabsBar, useStyles2 } from '@grafana/ui';

import { AGENTS, TOKEN_PLACEHOLDER } from '../../config/agents';
import { formatAgo } from '../../config/format';
import { pushUrl } from '../../config/urls';
import { t } from '../../i18n';
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
      title={t('config.agents.title', 'Agents')}
      description={t(
        'config.agents.about',
        'Any agent that speaks the Loki push protocol or OTLP can send logs here. It signs in with a Grafana service account token.'
      )}
    >
      <InlineField label={t('config.agents.push-url', 'Push URL')} labelWidth={14} grow>
        <Input
          id="cambium-push-url"
          readOnly
          value={url}
          addonAfter={
            <ClipboardButton
              icon="copy"
              variant="secondary"
              getText={() => url}
              aria-label={t('config.agents.copy-url', 'Copy push URL')}
            >
              {t('config.agents.copy', 'Copy')}
            </ClipboardButton>
          }
        />
      </InlineField>
      <p>{t('config.agents.last', 'Last line received: {{ago}}', { ago: formatAgo(lastReceived) })}</p>
      <TestLine uid={uid} onSent={onSent} />
      <ol className={styles.steps}>
        <li>
          {t('config.agents.token', 'Create a service account with the role Editor and add a token to it:')}{' '}
          <a className="external-link" href={`${config.appSubUrl ?? ''}/org/serviceaccounts`}>
            {t('config.agents.service-accounts', 'Administration → Users and access → Service accounts')}
          </a>
        </li>
        <li>
          {t('config.agents.configure', 'Copy a configuration below and put the token in place of {{placeholder}}.', {
            placeholder: TOKEN_PLACEHOLDER,
          })}
        </li>
      </ol>
      <TabsBar>
        {AGENTS.map(({ id, name }) => (
          <Tab key={id} label={name} active={id === selected} onChangeTab={() => setSelected(id)} />
        ))}
      </TabsBar>
      <TabContent>
        <div className={styles.bar}>
          <span>{agent.file ?? t('config.agents.terminal', 'In a terminal')}</span>
          <ClipboardButton icon="copy" variant="secondary" size="sm" getText={() => text}>
            {t('config.agents.copy', 'Copy')}
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
