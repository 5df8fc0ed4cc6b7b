import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type {
  BuildMatrix,
  Comparison,
  GroupPage,
  HistoryPage,
  Job,
  JobGroup,
  JobResult,
  LogLines,
  Problem,
  ResultPage,
  ResultUpload,
} from '@bootlab/lab';
import { JobStore } from '@bootlab/lab/server';
import { found, startJobsApi, type JobsApi } from '../testing/test-jobs.js';

jest.setTimeout(60_000);

let api: JobsApi;
beforeAll(async () => {
  api = await startJobsApi();
}, 60_000);
afterAll(() => api.stop());

const NONE = { pass: 0, fail: 0, skip: 0, error: 0 };

const placed = (results: JobResult[], first = 0) =>
  results.map((result, index) => ({ position: first + index, result }));

/** A job that has ended with these results. */
async function ended(results: JobResult[], more: object = {}): Promise<string> {
  const { id, finish } = await api.run(more);
  const counts = { pass: 0, fail: 0, skip: 0, error: 0 };
  for (const { status } of results) counts[status] += 1;
  const bad = counts.fail + counts.error > 0;
  await finish({ outcome: bad ? 'fail' : 'pass', reason: 'It ended' }, { results: placed(results), counts });
  return id;
}

describe('results', () => {
  it('come in pages, while the job runs and after', async () => {
    const { id, claim, finish } = await api.run();
    const jobs = api.app.get(JobStore);
    const first = placed([found('a', 'pass'), found('b', 'fail', { measurement: { value: 1.5, unit: 'ms' } })]);
    const progress = { virtualNs: 5, instructions: 5, counts: { pass: 1, fail: 1, skip: 0, error: 0 } };
    expect(await jobs.record(claim, { ...progress, results: first })).toBe(true);
    expect(await jobs.record(claim, { ...progress, results: first })).toBe(true); // again changes nothing
    const { body } = await api.call<ResultPage>(`/api/v1/jobs/${id}/results`);
    expect(body.counts).toEqual({ pass: 1, fail: 1, skip: 0, error: 0 });
    expect(body.items).toEqual([
      {
        ...{ suite: 'suite', name: 'a', outcome: 'pass', detail: null, startNs: 1, durationNs: 2 },
        ...{ console: 'uart0', lines: { first: 1, last: 2 }, measurement: null },
      },
      expect.objectContaining({ name: 'b', outcome: 'fail', measurement: { value: 1.5, unit: 'ms' } }),
    ]);
    await finish({ outcome: 'fail', reason: 'b' }, { results: placed([found('c', 'error'), found('d', 'skip')], 100) });
    const page = (query: string) => api.call<ResultPage>(`/api/v1/jobs/${id}/results?${query}`);
    const start = (await page('limit=3')).body;
    expect(start.items.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    const rest = (await page(`limit=3&cursor=${start.nextCursor}`)).body;
    expect(rest).toMatchObject({ items: [{ name: 'd' }], nextCursor: null });
    expect((await page('outcome=error')).body.items.map(({ name }) => name)).toEqual(['c']);
    expect((await page('limit=0')).status).toBe(400);
    expect(await jobs.record(claim, { ...progress, results: placed([found('late', 'pass')], 200) })).toBe(false);
    expect((await page('')).body.items).toHaveLength(4);
  });

  it('are added from JUnit XML when the job has ended, and change no outcome', async () => {
    const upload = (id: string, body: string, query = '', type = 'application/xml') =>
      api.call<ResultUpload & Problem>(`/api/v1/jobs/${id}/results${query}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
    const document =
      '<testsuites><testsuite name="net"><testcase name="ping" time="0.5"/>' +
      '<testcase name="route"><failure message="no &lt;route>"/></testcase></testsuite></testsuites>';
    const { id, finish } = await api.run();
    expect(await upload(id, document)).toMatchObject({ status: 409, body: { errors: [{ field: 'id' }] } });
    await finish(
      { outcome: 'pass', reason: 'It ended' },
      { results: placed([found('a', 'pass')]), counts: { ...NONE, pass: 1 } },
    );
    const two = await Promise.all([upload(id, document, '?suite=rig'), upload(id, document, '', 'text/xml')]);
    expect(two.map(({ status, body }) => [status, body.added])).toEqual([
      [201, 2],
      [201, 2],
    ]);
    const { body } = await api.call<ResultPage>(`/api/v1/jobs/${id}/results`);
    expect(body.counts).toEqual({ ...NONE, pass: 3, fail: 2 });
    expect(body.items[0]).toMatchObject({ name: 'a' });
    expect(
      body.items
        .slice(1)
        .map(({ suite, name }) => `${suite}/${name}`)
        .sort(),
    ).toEqual([...['rig/net/ping', 'rig/net/route'], ...['uploaded/net/ping', 'uploaded/net/route']]);
    expect(body.items.find(({ name }) => name === 'route')).toMatchObject({ detail: 'no <route>', lines: null });
    expect((await api.call<Job>(`/api/v1/jobs/${id}`)).body.outcome).toBe('pass');
    const junit = await api.call<string>(`/api/v1/jobs/${id}/results?format=junit`);
    expect(junit.body).toContain('name="ping"');
    for (const bad of ['', '<html/>', document.slice(0, 60), '<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>']) {
      expect(await upload(id, bad)).toMatchObject({ status: 400, body: { errors: [{ field: 'body' }] } });
    }
    expect(await upload(id, '{}', '', 'application/json')).toMatchObject({ status: 415 });
    expect((await upload('00000000-0000-0000-0000-000000000000', document)).status).toBe(404);
  });

  it('are exported as JUnit, TAP and JSON, for a job and for a group', async () => {
    const id = await ended([found('a', 'pass'), found('b <&>', 'fail')], { name: 'exported' });
    const as = (format: string) => api.call<string>(`/api/v1/jobs/${id}/results?format=${format}`);
    const junit = await as('junit');
    expect(junit.headers.get('content-type')).toMatch('application/xml');
    expect(junit.body).toContain('<testcase name="b &lt;&amp;&gt;" classname="exported/suite"');
    expect((await as('tap')).body).toMatch(/^TAP version 14\n1\.\.2\nok 1 - suite\/a\nnot ok 2/);
    expect((await api.call<object>(`/api/v1/jobs/${id}/results?format=json`)).body).toMatchObject({
      jobs: [{ name: 'exported', outcome: 'fail', results: [{ name: 'a' }, { name: 'b <&>' }] }],
    });
    expect((await as('csv')).status).toBe(400);
    const { groupId, id: first } = await api.submit({ name: 'g', matrix: { cpu: ['24Kf', '34Kf'] } });
    const group = await api.call<string>(`/api/v1/groups/${groupId}/results`);
    expect(group.body).toContain('name="g cpu=24Kf/job"'); // what has not ended is no success
    expect(group.body).toContain('The job has not ended yet');
    expect((await api.call<JobGroup>(`/api/v1/groups/${groupId}`)).body).toMatchObject({
      id: groupId,
      name: 'g',
      definition: expect.stringContaining('"matrix"'),
      jobs: [{ id: first }, { combination: { cpu: '34Kf' } }],
    });
    expect((await api.call<GroupPage>('/api/v1/groups')).body.items[0]).toMatchObject({ id: groupId });
    expect((await api.call(`/api/v1/groups/${id}`)).status).toBe(404);
  });

  it('of two jobs are compared', async () => {
    const base = await ended([found('kept', 'pass'), found('broke', 'pass'), found('gone', 'pass')]);
    const head = await ended([found('kept', 'pass'), found('broke', 'fail'), found('new', 'pass')]);
    const { body } = await api.call<Comparison>(`/api/v1/compare?base=${base}&head=${head}`);
    expect(body).toMatchObject({
      base: { id: base, outcome: 'pass' },
      head: { id: head, outcome: 'fail' },
      regressions: [{ name: 'broke' }],
      added: [{ name: 'new' }],
      missing: [{ name: 'gone' }],
      unchanged: 1,
    });
    const nobody = '00000000-0000-0000-0000-000000000000';
    expect(await api.call<Problem>(`/api/v1/compare?base=${nobody}&head=${head}`)).toMatchObject({
      status: 404,
      body: { errors: [{ field: 'base' }] },
    });
    expect((await api.call('/api/v1/compare?base=x')).status).toBe(400);
  });

  it('of one case make a history', async () => {
    const ids: string[] = [];
    for (const status of ['pass', 'fail', 'pass'] as const) {
      ids.unshift(await ended([found('remembered', status), found('other', 'pass')], { name: 'nightly' }));
    }
    const history = (query: string) => api.call<HistoryPage>(`/api/v1/history?suite=suite&name=remembered&${query}`);
    const first = (await history('limit=2')).body;
    expect(first.items.map(({ job, result }) => [job.id, result.outcome])).toEqual([
      [ids[0], 'pass'],
      [ids[1], 'fail'],
    ]);
    const second = (await history(`limit=2&cursor=${first.nextCursor}`)).body;
    expect(second).toMatchObject({ items: [{ job: { id: ids[2] } }], nextCursor: null });
    expect((await history('job=weekly')).body.items).toEqual([]);
    expect((await history('job=nightly&board=malta')).body.items).toHaveLength(3);
  });

  it('stand in a matrix of builds and boards, the newest of each', async () => {
    const elf = 'builtin:malta-selftest-el';
    const old = await ended([], { name: 'matrix', cpu: '34Kf', images: { firmware: elf } });
    const recent = await ended([found('x', 'fail')], { name: 'matrix', cpu: '34Kf', images: { firmware: elf } });
    const other = await ended([], { name: 'matrix', images: { kernel: 'builtin:malta-selftest-eb' } });
    const { body } = await api.call<BuildMatrix>('/api/v1/matrix?name=matrix');
    expect(body.columns).toEqual([
      { board: 'malta', cpu: null },
      { board: 'malta', cpu: '34Kf' },
    ]);
    expect(body.rows.map(({ image, cells }) => [image.name, ...cells.map((cell) => cell?.id ?? null)])).toEqual([
      ['malta-selftest-eb.elf', other, null],
      ['malta-selftest-el.elf', null, recent],
    ]);
    expect(JSON.stringify(body)).not.toContain(old);
    expect((await api.call<BuildMatrix>('/api/v1/matrix?name=%25x')).body.rows).toEqual([]);
  });
});

describe('what proves them', () => {
  it('is named by console and lines, which can be read', async () => {
    const { id, writer, finish } = await api.run();
    const span = (text: string, tNs: number, uart = 'uart0') => ({ uart, tNs, data: Buffer.from(text) });
    await writer.append([span('one\r\ntw', 10), span('not this\n', 15, 'uart1'), span('o\n\x1b[31mthree\x1b[0m', 20)]);
    const lines = (query = '') => api.call<LogLines>(`/api/v1/jobs/${id}/log/lines?${query}`);
    expect((await lines()).body).toEqual({
      console: 'uart0',
      lines: [
        { line: 1, t: 10, text: 'one' },
        { line: 2, t: 20, text: 'two' },
      ],
    });
    await finish({ outcome: 'fail', reason: 'why', lines: { first: 2, last: 3 }, console: 'uart0' });
    const { evidence } = (await api.call<Job>(`/api/v1/jobs/${id}`)).body;
    expect(evidence).toEqual({ console: 'uart0', first: 2, last: 3 });
    expect((await lines(`first=${evidence?.first}&limit=2`)).body.lines.map(({ text }) => text)).toEqual([
      'two',
      'three',
    ]);
    expect((await lines('console=uart1')).body.lines).toMatchObject([{ line: 1, text: 'not this' }]);
    expect(await lines('console=tty')).toMatchObject({ status: 400 });
  });
});
