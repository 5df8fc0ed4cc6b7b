declare module 'seek-bzip' {
  interface Input {
    readByte(): number;
    read(target: Uint8Array, offset: number, length: number): number;
    eof(): boolean;
  }
  interface Output {
    writeByte(byte: number): void;
  }
  const bunzip: {
    /** @param multistream also decode what follows the first stream, as bzip2 itself does */
    decode(input: Input, output: Output, multistream?: boolean): void;
  };
  export default bunzip;
}
