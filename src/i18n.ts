import { t as translate } from '@grafana/i18n';

/**
 * A text in the language of the user; `text` is the English one. Call it while rendering, not when a module loads: the
 * language is not known then. Values are put in as they are, because React escapes what it shows.
 */
export function t(id: string, text: string, values?: Record<string, string | number>): string {
  return translate(id, text, { ...values, interpolation: { escapeValue: false } });
}
