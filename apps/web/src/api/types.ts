// The lab's own schemas are the source of every type the pages use.
export type {
  Board,
  ClockMode,
  Image,
  ImageRole,
  Job,
  JobPage,
  ImagePage,
  JobSpec,
  JobState,
  Outcome,
  Problem,
  FieldError,
  Result,
  ResultPage,
  ServerMessage,
  Step,
} from '@bootlab/lab';
