/** What a command sees of the process it is: its streams, and who is told of signals. Making streams takes a millisecond or two each. */
export function processHost() {
  const { stdin, stdout, stderr } = process;
  return { stdin, stdout, stderr, signals: process };
}
