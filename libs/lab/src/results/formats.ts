/** The result formats that a `test` step reads. */
export const RESULT_FORMATS = [
  'tap',
  'ktap',
  'kselftest',
  'kunit',
  'ltp',
  'lava-signal',
  'junit',
  'gtest',
  'ctest',
  'pytest',
  'u-boot-ut',
  'ztest',
  'exit-code',
  'regex',
] as const;
export type ResultFormat = (typeof RESULT_FORMATS)[number];
