/** Remarks of a job that are passed on, and characters of each: some have a guest's own words in them. */
const MAX_REMARKS = 20;
const MAX_CHARACTERS = 300;

/** Passes on what the emulator remarks during a job, as far as a log should have it. */
export function limitRemarks(pass: (line: string) => void): (line: string) => void {
  let count = 0;
  return (line) => {
    count++;
    if (count <= MAX_REMARKS) pass(line.length > MAX_CHARACTERS ? `${line.slice(0, MAX_CHARACTERS)}…` : line);
    else if (count === MAX_REMARKS + 1) pass('there is more, which is not told');
  };
}
