const ROW = 'tr, li';
const CONTROL = 'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled)';

/** Where the focus is, in words that still mean something when the row is gone. */
interface Place {
  readonly control: Element;
  /** Which of its row's controls it is. */
  readonly column: number;
  readonly rows: Element;
  readonly row: number;
  /** What it is about, of which the heading speaks. */
  readonly part: Element;
}

/**
 * For lists whose rows go when something is removed, and with them the button that did it: the keyboard's focus would fall to
 * the page's start. It goes to the same button of the row that comes next, or of the last one; where no row has any, to the
 * heading of the part of the page, or else of the page.
 * @param around the `ref` of an element around the lists, which stays
 */
export function keepRowFocus(around: HTMLElement | null): (() => void) | undefined {
  if (!around) return undefined;
  let place: Place | undefined;
  const arrived = ({ target }: FocusEvent): void => {
    place = target instanceof Element ? placeOf(target, around) : undefined;
  };
  // A browser may say the same when the row goes: whether the control is still there is known a moment later.
  const left = (): void => {
    setTimeout(() => {
      if (place?.control.isConnected && place.control !== document.activeElement) place = undefined;
    });
  };
  const observer = new MutationObserver(() => {
    if (!place || place.control.isConnected) return;
    if (document.activeElement === document.body) focusNear(place, around);
    else place = undefined;
  });
  around.addEventListener('focusin', arrived);
  around.addEventListener('focusout', left);
  observer.observe(around, { childList: true, subtree: true });
  return () => {
    observer.disconnect();
    around.removeEventListener('focusin', arrived);
    around.removeEventListener('focusout', left);
  };
}

function placeOf(control: Element, around: Element): Place | undefined {
  const row = control.closest(ROW);
  const rows = row?.parentElement;
  if (!row || !rows) return undefined;
  const part = control.closest('section');
  return {
    ...{ control, column: controlsOf(row).indexOf(control), rows, row: [...rows.children].indexOf(row) },
    part: part && around.contains(part) ? part : around,
  };
}

/** Without those of a question that the row may ask. */
const controlsOf = (row: Element): Element[] =>
  [...row.querySelectorAll(CONTROL)].filter((control) => !control.closest('dialog'));

function focusNear({ column, rows, row, part }: Place, around: HTMLElement): void {
  const left = rows.isConnected ? [...rows.children] : [];
  for (const candidate of [...left.slice(row), ...left.slice(0, row).reverse()]) {
    const controls = controlsOf(candidate);
    const control = controls[column] ?? controls.at(-1);
    if (control instanceof HTMLElement) return control.focus();
  }
  const heading =
    (part.isConnected ? part : around).querySelector<HTMLElement>('h1, h2, h3') ??
    document.querySelector<HTMLElement>('h1');
  if (!heading) return;
  if (!heading.hasAttribute('tabindex')) heading.tabIndex = -1; // else it takes no focus
  heading.focus();
}
