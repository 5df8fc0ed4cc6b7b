import type { Job } from '../api/types.js';

/** How many results passed and failed, in few characters. */
export function Counts({ counts: { pass, fail, error, skip } }: { counts: Job['counts'] }) {
  const bad = fail + error;
  if (pass + bad + skip === 0) return <>–</>;
  return (
    <span className="counts tabular" title={`${pass} passed, ${fail} failed, ${error} broken, ${skip} skipped`}>
      <span data-outcome="pass">{pass}</span>
      {bad > 0 && <span data-outcome="fail">{bad} failed</span>}
    </span>
  );
}
