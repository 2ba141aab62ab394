export interface ProgressBar {
  readonly update: (done: number, total: number) => void;
  end(): void;
}

const WIDTH_CHARS = 30;
/** Without a terminal a line is written at each of these steps, so that logs stay short. */
const STEPS = 5;

/** A bar that redraws itself in a terminal, and a few plain lines elsewhere. */
export function progressBar(what: string, out: NodeJS.WriteStream = process.stdout): ProgressBar {
  let lastStep = 0;
  return {
    update(done, total) {
      const share = total === 0 ? 1 : done / total;
      const text = `${String(done)}/${String(total)} ${what}`;
      if (out.isTTY) {
        const filled = '█'.repeat(Math.round(share * WIDTH_CHARS)).padEnd(WIDTH_CHARS, '░');
        out.write(`\r${filled} ${text}`);
        return;
      }
      const step = Math.floor(share * STEPS);
      if (step > lastStep) out.write(`${text}\n`);
      lastStep = Math.max(lastStep, step);
    },
    end() {
      if (out.isTTY) out.write('\n');
    },
  };
}
