/**
 * Versioned, named state: what a component saves, restores and shows to debuggers. Values are JSON plus byte arrays;
 * a field is found by its name, never by its position.
 */
export type StateValue =
  number | string | boolean | null | Uint8Array | readonly StateValue[] | { readonly [key: string]: StateValue };

export interface ComponentState {
  /** Component type, for example `ns16550`. */
  readonly type: string;
  /** Version of the field set; raised whenever a field changes its meaning. */
  readonly version: number;
  readonly fields: { readonly [name: string]: StateValue };
}

/** A component that can be saved between two instructions and restored into a freshly built twin. */
export interface Persistent {
  saveState(): ComponentState;
  /** @throws EmulatorError when the type or version does not fit */
  restoreState(state: ComponentState): void;
}
