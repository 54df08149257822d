import { InputError } from "@cmodx/core";
import { expect, test } from "vitest";
import { selectSite } from "../src/index.js";
import { fixtureSites } from "./fixture.js";

const sites = fixtureSites("patchsites.x86_64.elf");

test.each([
  ["#1", 1],
  ["#22", 22],
  ["long_nops", 4],
  ["loose+0xd", 21],
  ["loose+13", 21],
  ["padded", 18],
  ["padded-0x10", 18],
  ["split_nops+0", 22],
])("%s selects #%i", (selector, number) => {
  expect(selectSite(sites, selector).number).toBe(number);
});

test.each([
  ["#0", "patchsites: #0: expected a number from #1 to #22"],
  ["#23", "expected a number from #1 to #22"],
  ["#1x", "expected a number from #1 to #22"],
  ["long_nop", "no function of this name has a patch site; the nearest are long_nops, "],
  ["jumps+0x39", "no patch site lies there; expected jumps+0x0, jumps+0x38, jumps+0x80"],
  ["", "no function of this name"],
])("%s is refused: %s", (selector, message) => {
  const select = () => selectSite(sites, selector, { name: "patchsites" });
  expect(select).toThrow(InputError);
  expect(select).toThrow(message);
});

test("padding before a function is selected last", () => {
  const padding = { ...selectSite(sites, "padded"), number: 4, symbol: "long_nops-0x10" };
  expect(selectSite([padding, ...sites.slice(4)], "long_nops").number).toBe(5);
  expect(selectSite([padding], "long_nops").number).toBe(4);
});

test("a file without sites says so", () => {
  expect(() => selectSite([], "#1")).toThrow("(input): #1: the file has no patch sites");
});

test("without symbols only numbers are of use", () => {
  const nameless = sites.map(({ symbol, ...rest }) => rest);
  expect(() => selectSite(nameless, "jumps")).toThrow("expected a number such as #1");
  expect(selectSite(nameless, "#3").number).toBe(3);
});
