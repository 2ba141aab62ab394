/** Commands about one allocation run one after the other, whichever store decides them. */
export class CommandOrder {
  private readonly last = new Map<string, Promise<unknown>>();

  run<Answer>(id: string, command: () => Promise<Answer>): Promise<Answer> {
    const earlier = this.last.get(id);
    const answer = earlier === undefined ? command() : earlier.then(command);
    const ended = answer
      .catch(() => undefined)
      .then(() => {
        if (this.last.get(id) === ended) this.last.delete(id);
      });
    this.last.set(id, ended);
    return answer;
  }
}
