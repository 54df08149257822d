import { gzipSync } from "node:zlib";
import { InputError } from "@cmodx/core";
import fc from "fast-check";
import { packTar } from "modern-tar";
import { describe, expect, test } from "vitest";
import { readTarGz } from "../src/tar.js";

const BLOCK = 512;

/** The header of a file, with its size as it is written. */
const header = (name: string, size: string, type = "0"): Buffer => {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write("0000644", 100);
  block.write(size, 124, "latin1");
  block.write(" ".repeat(8), 148);
  block.write(type, 156);
  block.write("ustar\x0000", 257, "latin1");
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
};

const padded = (text: string): Buffer => Buffer.from(text.padEnd(BLOCK, "\0"));

const END = Buffer.alloc(2 * BLOCK);

const read = (bytes: Uint8Array) => readTarGz(gzipSync(bytes), "a.tar.gz", ".litmus");

describe("archives", () => {
  test("long names, in its order, and only files of the ending", async () => {
    const long = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(90)}.litmus`;
    const entry = (name: string, body: string) => ({ header: { name, size: body.length }, body });
    const files = await read(await packTar([entry(long, "one"), entry("two.txt", "2"), entry("three.litmus", "")]));
    expect(files).toEqual([
      { path: long, text: "one" },
      { path: "three.litmus", text: "" },
    ]);
  });

  test.each([
    ["a negative size", header("a.litmus", "-0000001000")],
    ["a negative size in base 256", header("a.litmus", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\x00")],
    ["more than there is", header("a.litmus", "00000000003")],
    ["more than a number holds", header("a.litmus", "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff")],
    ["a long name without end", header("p", "77777777777", "L")],
    [
      "a size by an extended header",
      Buffer.concat([
        header("p", "00000000020", "x"),
        padded("17 size=99999999\n"),
        header("a.litmus", "00000000003"),
        padded("abc"),
        END,
      ]),
    ],
    ["a wrong sum", Buffer.from(header("a.litmus", "00000000000")).fill("9", 148, 154)],
    ["no header", Buffer.alloc(700, 65)],
  ])("%s is refused in a sentence", async (_, bytes) => {
    await expect(read(bytes)).rejects.toThrow(/^a\.tar\.gz is no tar archive, or is cut off: .*\.$/);
  });

  test("what unpacks to more than 256 megabytes is refused", async () => {
    await expect(read(Buffer.alloc(2 ** 28 + 1))).rejects.toThrow("a.tar.gz holds more than 268435456 bytes.");
  });

  test("whatever stands there, it comes to an end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.uint8Array({ minLength: 1, maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
            fc
              .tuple(
                fc.string({ maxLength: 20 }),
                fc.string({ unit: "binary-ascii", maxLength: 12 }),
                fc.constantFrom("0", "x", "L", "5", "g"),
              )
              .map(([name, size, type]) => header(name, size, type)),
            fc.constant(END),
          ),
          { maxLength: 5 },
        ),
        async (blocks) => {
          try {
            await read(Buffer.concat(blocks));
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });
});
