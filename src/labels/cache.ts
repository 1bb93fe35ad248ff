/**
 * Remembers answers for a while and asks one thing at a time: equal questions share a request, others wait for their
 * turn, so that no number of editors and variables on a page floods the backend.
 */
export class AnswerCache<T> {
  private readonly answers = new Map<string, { at: number; value: T }>();
  private readonly pending = new Map<string, Promise<T>>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly ttlMs: number,
    private readonly size = 100
  ) {}

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.answers.get(key);
    if (known && Date.now() - known.at < this.ttlMs) {
      return Promise.resolve(known.value);
    }
    const pending = this.pending.get(key) ?? this.enqueue(key, ask);
    this.pending.set(key, pending);
    return pending;
  }

  private enqueue(key: string, ask: () => Promise<T>): Promise<T> {
    const answer = this.last.then(ask).then((value) => {
      this.remember(key, value);
      return value;
    });
    const done = () => this.pending.delete(key);
    // The next in line does not care how this one ended.
    this.last = answer.then(done, done);
    return answer;
  }

  private remember(key: string, value: T): void {
    this.answers.delete(key);
    this.answers.set(key, { at: Date.now(), value });
    if (this.answers.size > this.size) {
      this.answers.delete(this.answers.keys().next().value!);
    }
  }
}
