import { AnswerCache } from './cache';

function deferred() {
  let resolve!: (value: string) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<string>((ok, no) => {
    resolve = ok;
    reject = no;
  });
  return { promise, resolve, reject, ask: jest.fn(() => promise) };
}

it('asks once for equal questions and remembers the answer', async () => {
  const cache = new AnswerCache<string>(1000);
  const a = deferred();
  const answers = [cache.get('a', a.ask), cache.get('a', a.ask)];
  a.resolve('A');
  expect(await Promise.all(answers)).toEqual(['A', 'A']);
  expect(await cache.get('a', a.ask)).toBe('A');
  expect(a.ask).toHaveBeenCalledTimes(1);
});

it('has one question in flight, whatever becomes of it', async () => {
  const cache = new AnswerCache<string>(1000);
  const [a, b] = [deferred(), deferred()];
  const first = cache.get('a', a.ask);
  const second = cache.get('b', b.ask);
  await Promise.resolve();
  expect(a.ask).toHaveBeenCalled();
  expect(b.ask).not.toHaveBeenCalled();
  a.reject(new Error('no'));
  b.resolve('B');
  await expect(first).rejects.toThrow('no');
  expect(await second).toBe('B');
});

it('forgets after a while, and does not remember failures', async () => {
  jest.useFakeTimers();
  const cache = new AnswerCache<string>(1000);
  const a = deferred();
  a.reject(new Error('no'));
  await expect(cache.get('a', a.ask)).rejects.toThrow('no');
  const ask = jest.fn(async () => 'A');
  expect(await cache.get('a', ask)).toBe('A');
  jest.advanceTimersByTime(2000);
  await cache.get('a', ask);
  expect(ask).toHaveBeenCalledTimes(2);
  jest.useRealTimers();
});
