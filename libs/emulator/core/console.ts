/**
 * The far end of a serial port. The device pushes what the guest transmits and pulls what the outside typed; pulling
 * is what makes flow control: input waits here, however long the guest takes, and is never dropped.
 */
export interface ConsolePort {
  /** A byte (0..255) left the guest at the current virtual time. */
  transmit(byte: number): void;
  /** Next input byte (0..255), or -1 when none waits. */
  receive(): number;
  /** True while {@link receive} would return a byte. */
  readonly hasInput: boolean;
  /** The device registers here to learn that input arrived; called at an exact virtual time. */
  onInput(listener: () => void): void;
}
