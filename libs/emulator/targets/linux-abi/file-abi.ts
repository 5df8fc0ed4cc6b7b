/** What an architecture says of files in its Linux ABI. */
export interface LinuxFileAbi {
  readonly name: string;
}
