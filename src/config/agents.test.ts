import { AGENTS } from './agents';
import { pushUrl, resourcesUrl, urlParts } from './urls';

const target = { appUrl: 'https://grafana.example.com/sub/', uid: 'a b', token: 'TOKEN' };

it.each(AGENTS.map((agent) => [agent.name, agent] as const))('%s gets address and token', (_, agent) => {
  const text = agent.config(target);
  expect(text).toContain('TOKEN');
  expect(text).toContain('/sub/api/datasources/uid/a%20b/resources/');
  expect(text).toContain('grafana.example.com');
  expect(text).toMatchSnapshot();
});

it('keeps the sub path and escapes the uid', () => {
  expect(resourcesUrl('http://x/', 'u')).toBe('http://x/api/datasources/uid/u/resources');
  expect(pushUrl(target.appUrl, target.uid)).toBe(
    'https://grafana.example.com/sub/api/datasources/uid/a%20b/resources/loki/api/v1/push'
  );
});

it('takes an address apart', () => {
  expect(urlParts('http://h/p')).toEqual({ https: false, host: 'h', port: '80', path: '/p' });
  expect(urlParts('https://h:8443/p')).toEqual({ https: true, host: 'h', port: '8443', path: '/p' });
});
