/**
 * Something that will be known once. Its promise is made when somebody asks for it: most tickets are asked for one of their two, and a promise costs more
 * than the rest of a ticket.
 *
 * Invariant: it is settled once, and everybody who asks, before or after, is told the same. Nobody has to handle a rejection.
 */
export class Outcome<T> {
  private state: 'open' | 'known' | 'failed' = 'open';
  private value: T | undefined;
  private error: unknown;
  private asked: PromiseWithResolvers<T> | undefined;

  get promise(): Promise<T> {
    if (this.asked === undefined) {
      this.asked = Promise.withResolvers();
      if (this.state === 'known') this.asked.resolve(this.value as T);
      else if (this.state === 'failed') this.fail(this.asked);
    }
    return this.asked.promise;
  }

  resolve(value: T): void {
    if (this.state !== 'open') return;
    this.state = 'known';
    this.value = value;
    this.asked?.resolve(value);
  }

  reject(error: unknown): void {
    if (this.state !== 'open') return;
    this.state = 'failed';
    this.error = error;
    if (this.asked !== undefined) this.fail(this.asked);
  }

  private fail({ promise, reject }: PromiseWithResolvers<T>): void {
    // Who does not care is not made to.
    promise.catch(() => {});
    reject(this.error);
  }
}
