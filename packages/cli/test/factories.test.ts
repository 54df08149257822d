import * as arm64 from "@cmodx/arm64";
import * as armv7 from "@cmodx/armv7";
import { InputError } from "@cmodx/core";
import * as riscv from "@cmodx/riscv";
import * as x86 from "@cmodx/x86";
import { describe, expect, test } from "vitest";

/** What a package exports that is called to make a strategy or an architecture. */
const makers = (exports: object): readonly (readonly [name: string, make: (options?: unknown) => unknown])[] =>
  Object.entries(exports).flatMap(([name, make]) => {
    if (typeof make !== "function") return [];
    try {
      const made = make();
      return typeof made === "object" && ("plan" in made || "fetchModels" in made) ? [[name, make] as const] : [];
    } catch {
      // It needs arguments, as the words of programs do.
      return [];
    }
  });

describe.each(Object.entries({ x86, arm64, armv7, riscv }))(
  "what %s makes strategies and its architecture with",
  (_, exports) => {
    const found = makers(exports);

    test("is found", () => expect(found.length).toBeGreaterThan(8));

    test.each(found)("%s refuses an option that there is not", (name, make) => {
      expect(() => make({ unheard: true })).toThrow(InputError);
      expect(() => make({ unheard: true })).toThrow(
        `${name}: options.unheard is no field of options of ${name}; there `,
      );
      expect(() => make([])).toThrow(`${name}: options has to be options of ${name}, not a list.`);
    });
  },
);

test("what an option is, is known too", () => {
  expect(() => x86.int3({ evnts: true } as never)).toThrow("did you mean events?");
  expect(() => x86.plainStore({ width: 3 } as never)).toThrow("options.width has to be one of 1, 2, 4, 8, not 3.");
  expect(() => arm64.arm64({ cmodx: "linus" } as never)).toThrow(
    'options.cmodx cannot be "linus"; did you mean linux?',
  );
  expect(() => riscv.userFlush({ deferred: "no" } as never)).toThrow(
    'options.deferred has to be true or false, not "no".',
  );
});
