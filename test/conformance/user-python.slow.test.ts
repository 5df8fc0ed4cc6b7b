import { expect, it, jest } from '@jest/globals';
import { debianMipselRoot, describeWith, pythonTests } from '../support/requirements.js';
import { execProgram } from './user/exec.js';

// Python compiles its modules at each start here, and its interpreter's main loop is hard to translate.
jest.setTimeout(1_200_000);

describeWith(['debian-mipsel', 'python-tests'], "Python's own tests of threads", () => {
  it('pass, and do the same in every run', async () => {
    const run = (module: string) =>
      execProgram(
        [
          ...['--arch', 'mipsel', '--root', debianMipselRoot, '--overlay'],
          ...['--bind', `${pythonTests}:/usr/lib/python3.11/test:ro`],
          ...['--', '/usr/bin/python3', '-m', 'unittest', '-v', module],
        ],
        600_000,
      );
    const first = await run('test.test_threading');
    expect(first.errors).toMatch(/\nRan 194 tests in \S+\n\nOK \(skipped=1\)\n$/);
    expect(first.status).toBe(0);
    const second = await run('test.test_threading');
    expect(second.errors).toBe(first.errors);
    expect(second.output).toBe(first.output);
    expect(second.stats).toMatchObject({
      instructions: first.stats.instructions,
      syscalls: first.stats.syscalls,
      virtualSeconds: first.stats.virtualSeconds,
    });
    for (const module of ['test.test_thread', 'test.test_queue', 'test.test_sched']) {
      const { errors, status } = await run(module);
      expect(errors).toMatch(/\nRan \d+ tests in \S+\n\nOK/);
      expect(status).toBe(0);
    }
  });
});
