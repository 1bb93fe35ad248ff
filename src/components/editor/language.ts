import { languageConfiguration, monarchlanguage } from '@grafana/monaco-logql';
import type { Monaco } from '@grafana/ui';

/** Not `logql`: the Loki data source registers that one, and providers are kept per language. */
export const LANGUAGE_ID = 'cambium-logql';

export function registerLanguage(monaco: Monaco): void {
  if (monaco.languages.getLanguages().some(({ id }) => id === LANGUAGE_ID)) {
    return;
  }
  monaco.languages.register({ id: LANGUAGE_ID });
  monaco.languages.setMonarchTokensProvider(LANGUAGE_ID, monarchlanguage);
  monaco.languages.setLanguageConfiguration(LANGUAGE_ID, {
    ...languageConfiguration,
    // The cursor situation of `$__auto` or `$app` is easier to tell when the sigil belongs to the word.
    wordPattern: /\$?\{?\w+/g,
  });
}
