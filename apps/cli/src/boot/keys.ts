const CTRL_A = 0x01;

export const KEYS_HELP = ['Ctrl-A h  this help', 'Ctrl-A x  quit Bootlab', 'Ctrl-A a  send Ctrl-A to the guest'];

export interface KeyActions {
  send(bytes: Uint8Array): void;
  quit(): void;
  help(): void;
}

/** Separates what is typed for the guest from Bootlab's own keys, all of which begin with Ctrl-A. */
export class KeyFilter {
  private afterCtrlA = false;

  constructor(private readonly actions: KeyActions) {}

  feed(typed: Uint8Array): void {
    let start = 0; // of the bytes for the guest that were not sent yet
    for (const [index, byte] of typed.entries()) {
      if (this.afterCtrlA) {
        this.afterCtrlA = false;
        start = index + 1;
        this.command(byte);
      } else if (byte === CTRL_A) {
        this.pass(typed.subarray(start, index));
        this.afterCtrlA = true;
        start = index + 1;
      }
    }
    this.pass(typed.subarray(start));
  }

  private pass(bytes: Uint8Array): void {
    if (bytes.length > 0) this.actions.send(bytes);
  }

  private command(byte: number): void {
    switch (String.fromCharCode(byte).toLowerCase()) {
      case 'x':
        return this.actions.quit();
      case 'a':
      case '\x01':
        return this.actions.send(Uint8Array.of(CTRL_A));
      default:
        return this.actions.help();
    }
  }
}
