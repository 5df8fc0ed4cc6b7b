import type { Fragment, Value } from './fragment.js';
import { isBinary, isComparison } from './fragment.js';
import { Op, OP_NAMES, Type, TYPE_NAMES } from './ops.js';

/**
 * Checks a fragment's structure: every operand is defined before its use and visible there, types agree, arms are
 * balanced, a branch comes last. Runs in tests over every instruction of every target.
 * @returns the problems found, empty for a sound fragment
 */
export function verify(fragment: Fragment): string[] {
  const problems: string[] = [];
  const report = (index: number, problem: string): void => {
    problems.push(`%${index} ${OP_NAMES.get(fragment.op[index] as number) ?? '?'}: ${problem}`);
  };
  /** Scopes of values: each arm sees those of the arms around it. */
  const scopes: Set<number>[] = [new Set()];
  const arms: { hasElse: boolean; thenScope: Set<number> }[] = [];
  const visible = (value: number): boolean => scopes.some((scope) => scope.has(value));
  const typeOf = (value: Value): Type => fragment.type[value] as Type;
  let branched = false;

  for (let i = 0; i < fragment.length; i++) {
    const op = fragment.op[i] as Op;
    const type = fragment.type[i] as Type;
    const a = fragment.a[i] as Value;
    const b = fragment.b[i] as Value;
    if (branched) report(i, 'follows the branch that ends the instruction');

    if (op === Op.EndIf) {
      const arm = arms.pop();
      const elseScope = scopes.pop();
      if (!arm || !elseScope) {
        report(i, 'ends no If');
        scopes.push(new Set());
      } else if (type !== Type.Void) {
        if (!arm.hasElse) report(i, 'joins values without an Else');
        if (!arm.thenScope.has(a) && !visible(a)) report(i, `%${a} is not visible at the end of the first arm`);
        if (!elseScope.has(b) && !visible(b)) report(i, `%${b} is not visible at the end of the second arm`);
        if (typeOf(a) !== type || typeOf(b) !== type) report(i, 'the arms have different types');
      }
    } else {
      fragment.operands(i, (value) => {
        if (value < 0 || value >= i) report(i, `%${value} is used before it is defined`);
        else if (!visible(value)) report(i, `%${value} belongs to another arm`);
        else if (typeOf(value) === Type.Void) report(i, `%${value} has no value`);
      });
      const want = (value: Value, expected: Type): void => {
        if (typeOf(value) !== expected)
          report(i, `%${value} is ${TYPE_NAMES[typeOf(value)]}, expected ${TYPE_NAMES[expected]}`);
      };
      if (isComparison(op)) {
        want(a, fragment.c[i] as Type);
        want(b, fragment.c[i] as Type);
      } else if (isBinary(op)) {
        want(a, type);
        want(b, type);
      } else if (op === Op.If) want(a, Type.I32);
      else if (op === Op.Select) {
        want(a, Type.I32);
        want(b, type);
        want(fragment.c[i] as Value, type);
      }
    }

    if (op === Op.If) {
      arms.push({ hasElse: false, thenScope: new Set() });
      scopes.push(new Set());
    } else if (op === Op.Else) {
      const arm = arms.at(-1);
      if (!arm || arm.hasElse) report(i, 'belongs to no If');
      else {
        arm.hasElse = true;
        arm.thenScope = scopes.pop() as Set<number>; // pushed with the If
        scopes.push(new Set());
      }
    } else if (op === Op.Branch) {
      if (arms.length > 0) report(i, 'stands inside an arm');
      branched = true;
    }
    (scopes.at(-1) as Set<number>).add(i); // the outermost scope is never popped
  }
  if (arms.length > 0) problems.push(`${arms.length} If without EndIf`);
  return problems;
}
