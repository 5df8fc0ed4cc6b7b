import { describe, expect, it } from '@jest/globals';
import { ResultUploadError, uploadedResults } from './upload.js';

const DOCUMENT = `<?xml version="1.0"?>
<testsuites><testsuite name="net">
  <testcase name="ping" classname="net" time="0.25"/>
  <testcase name="route"><failure message="no route">to 10.0.0.1</failure></testcase>
  <testcase name="ipv6"><skipped/></testcase>
</testsuite></testsuites>
`;

describe('an uploaded JUnit document', () => {
  it('becomes results without lines and without virtual time', () => {
    const results = uploadedResults(DOCUMENT, 'rig');
    expect(results.map(({ suite, name, outcome }) => [suite, name, outcome])).toEqual([
      ['rig/net', 'ping', 'pass'],
      ['rig/net', 'route', 'fail'],
      ['rig/net', 'ipv6', 'skip'],
    ]);
    expect(results[0]).toMatchObject({
      durationNs: 250_000_000,
      startNs: null,
      console: null,
      lines: null,
      detail: null,
    });
    expect(results[1]).toMatchObject({ durationNs: null, detail: 'no route\nto 10.0.0.1' });
  });

  it.each([
    ['nothing', '', /no test case/],
    ['another document', '<html><body/></html>', /no test case/],
    ['one without a case', '<testsuites/>', /no test case/],
    ['one that breaks off', DOCUMENT.slice(0, 150), /not complete/],
    ['one that is no XML', '<testsuite><testcase name="a"></testsuite>', /Not well-formed XML.*at line 1/s],
    ['entities', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa">]><testsuite/>', /document type is declared/],
    ['depth', '<testsuite>'.repeat(100), /nested too deeply/],
  ])('that is %s is refused, with the mend', (_, text, message) => {
    expect(() => uploadedResults(text, 'rig')).toThrow(message);
    expect(() => uploadedResults(text, 'rig')).toThrow(ResultUploadError);
  });
});
