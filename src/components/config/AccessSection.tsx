import React from 'react';
import { ConfigSection, ConfigSubSection } from '@grafana/plugin-ui';
import { InlineField, RadioButtonGroup, SecretInput } from '@grafana/ui';

import { selectorProblem, tenantProblem } from '../../config/validate';
import { t } from '../../i18n';
import { PushRole } from '../../types';
import { TextSetting } from './TextSetting';
import { ConfigProps, settersOf } from './settings';

const ROLES: PushRole[] = ['Viewer', 'Editor', 'Admin'];
const ROLE_OPTIONS = ROLES.map((value) => ({ value, label: value }));

export function AccessSection(props: ConfigProps) {
  const { jsonData, secureJsonFields = {}, secureJsonData = {}, readOnly } = props.options;
  const { setJson, setSecret, resetSecret } = settersOf(props);
  const selectors = jsonData.roleSelectors ?? [];
  const setSelector = (role: PushRole, selector: string) => {
    const others = selectors.filter((one) => one.role !== role);
    setJson({ roleSelectors: selector.trim() ? [...others, { role, selector }] : others });
  };

  return (
    <ConfigSection
      title={t('config.access.title', 'Access')}
      description={t(
        'config.access.about',
        'Who may push, and what users of a role may see. Deleting needs the Admin role always.'
      )}
      isCollapsible
      isInitiallyOpen={Boolean(jsonData.pushRole || jsonData.tenant || selectors.length || secureJsonFields.pushToken)}
    >
      <InlineField label={t('config.access.push-role', 'Push needs role')} labelWidth={24} disabled={readOnly}>
        <RadioButtonGroup
          aria-label={t('config.access.role-needed', 'Role needed to push')}
          options={ROLE_OPTIONS}
          value={jsonData.pushRole ?? 'Editor'}
          onChange={(pushRole) => setJson({ pushRole })}
        />
      </InlineField>
      <InlineField
        label={t('config.access.token', 'Push token')}
        labelWidth={24}
        disabled={readOnly}
        tooltip={t(
          'config.access.token-tip',
          'A second gate: when set, agents must also send it in the header X-Push-Token'
        )}
      >
        <SecretInput
          id="cambium-push-token"
          width={50}
          placeholder={t('config.optional', 'optional')}
          isConfigured={Boolean(secureJsonFields.pushToken)}
          value={secureJsonData.pushToken ?? ''}
          onReset={() => resetSecret('pushToken')}
          onChange={(event) => setSecret('pushToken', event.currentTarget.value)}
        />
      </InlineField>
      <TextSetting
        id="cambium-tenant"
        label={t('config.access.tenant', 'Tenant')}
        tooltip={t(
          'config.access.tenant-tip',
          'Data sources with different names here keep different logs in one store. Always within this organisation.'
        )}
        placeholder={t('config.access.tenant-own', "the organisation's own")}
        value={jsonData.tenant}
        invalid={tenantProblem(jsonData.tenant)}
        disabled={readOnly}
        onChange={(text) => setJson({ tenant: text.trim() || undefined })}
      />
      <ConfigSubSection
        title={t('config.access.selectors', 'Selectors by role')}
        description={t(
          'config.access.selectors-about',
          'Added to every query of users with the role, in the backend. Empty: all logs of the tenant.'
        )}
      >
        {ROLES.map((role) => {
          const selector = selectors.find((one) => one.role === role)?.selector ?? '';
          return (
            <TextSetting
              key={role}
              id={`cambium-selector-${role}`}
              label={role}
              placeholder='{team="a"}'
              value={selector}
              invalid={selectorProblem(selector)}
              disabled={readOnly}
              onChange={(text) => setSelector(role, text)}
            />
          );
        })}
      </ConfigSubSection>
    </ConfigSection>
  );
}
