/** Generated inputs as an arbitrary of fast-check: it brings seeds, replay and the shrinking walk; we bring the steps. */
import type * as FastCheck from "fast-check";
import { type Choice, ChoiceSource, type Entropy, simplerRecords } from "./choices.ts";
import { type Description, drawFrom } from "./inputs.ts";

/** One generated input and where it runs. */
export interface InputCase<Where> {
  readonly args: readonly unknown[];
  readonly where: Where;
}

/** Cases of a description over configurations, the simplest configuration first. */
export function inputCases<Where>(
  fc: typeof FastCheck,
  describe: Description,
  configurations: readonly Where[],
): FastCheck.Arbitrary<InputCase<Where>> {
  const caseOf = (record: readonly Choice[], entropy?: Entropy): FastCheck.Value<InputCase<Where>> => {
    const source = new ChoiceSource(record, entropy);
    const g = drawFrom(source);
    const where = g.oneOf(...configurations);
    const args = describe(g);
    return new fc.Value({ args, where }, source.made);
  };

  class InputCases extends fc.Arbitrary<InputCase<Where>> {
    override generate(random: FastCheck.Random): FastCheck.Value<InputCase<Where>> {
      return caseOf([], random);
    }
    override canShrinkWithoutContext(_value: unknown): _value is InputCase<Where> {
      return false;
    }
    override shrink(
      _value: InputCase<Where>,
      context: unknown,
    ): FastCheck.Stream<FastCheck.Value<InputCase<Where>>> {
      const record = context as readonly Choice[];
      function* simpler(): Generator<FastCheck.Value<InputCase<Where>>> {
        for (const candidate of simplerRecords(record)) yield caseOf(candidate);
      }
      return fc.stream(simpler());
    }
  }
  return new InputCases();
}
