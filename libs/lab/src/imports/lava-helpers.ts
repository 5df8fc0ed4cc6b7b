/**
 * The commands that LAVA puts into a guest, as far as tests call them: each prints its signal. See "Lava Test Shell" and
 * "Test definitions" in LAVA's documentation for what they take. Our own scripts, POSIX shell only.
 */
const HELPERS: Readonly<Record<string, string>> = {
  'lava-test-case': `id=$1; shift
result=unknown; units=; value=
if [ "$1" = --shell ]; then
  shift
  echo "<LAVA_SIGNAL_STARTTC $id>"
  if sh -c "$*"; then result=pass; else result=fail; fi
  echo "<LAVA_SIGNAL_ENDTC $id>"
else
  while [ $# -gt 1 ]; do
    case $1 in
      --result) result=$2 ;;
      --units) units=$2 ;;
      --measurement) value=$2 ;;
    esac
    shift 2
  done
fi
line="TEST_CASE_ID=$id RESULT=$result"
[ -z "$value" ] || line="$line MEASUREMENT=$value"
[ -z "$units" ] || line="$line UNITS=$units"
echo "<LAVA_SIGNAL_TESTCASE $line>"`,
  'lava-test-set': `case $1 in
  start) echo "<LAVA_SIGNAL_TESTSET START $2>" ;;
  stop) echo "<LAVA_SIGNAL_TESTSET STOP>" ;;
esac`,
  'lava-test-reference': `id=$1; shift
while [ $# -gt 1 ]; do
  case $1 in
    --result) result=$2 ;;
    --reference) reference=$2 ;;
  esac
  shift 2
done
echo "<LAVA_SIGNAL_TESTREFERENCE TEST_CASE_ID=$id RESULT=$result REFERENCE=$reference>"`,
  'lava-test-raise': `echo "<LAVA_SIGNAL_TESTRAISE $*>"
exit 1`,
};

const FOLDER = '/tmp/bootlab-lava';

/**
 * A command that puts the helpers into the guest and into its PATH, and fails where that did not work.
 * @param folder where they go
 */
export function installLavaHelpers(folder = FOLDER): string {
  const files = Object.entries(HELPERS).map(
    ([name, body]) =>
      `cat > ${folder}/${name} <<'BOOTLAB_END' && chmod 755 ${folder}/${name}\n#!/bin/sh\n${body}\nBOOTLAB_END`,
  );
  const path = `export PATH="${folder}:$PATH"`;
  return [`mkdir -p ${folder}`, ...files, path, `[ -x ${folder}/lava-test-raise ]`].join('\n');
}

export const usesLavaHelpers = (steps: readonly string[]): boolean =>
  steps.some((step) => /\blava-(?:test|signal)/.test(step));
