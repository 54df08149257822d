import "reflect-metadata";
import { inject, injectAll, injectable } from "tsyringe";

declare const TYPE: unique symbol;

/** A name under which a part of a simulation is known; it carries the part's type, so that the compiler checks every use. */
export type Token<T> = symbol & { readonly [TYPE]?: T };

/** The token of a name. Two calls with the same name are the same token, also from two copies of this package. */
export const token = <T>(name: string): Token<T> => Symbol.for(`cmodx:${name}`) as Token<T>;

// biome-ignore lint/suspicious/noExplicitAny: the one type that every class has
type AnyClass = new (...parameters: any[]) => object;
/** Unfit tokens make the parameter's index unassignable, and the compiler names both types. */
type Fits<T, P> = [T] extends [P] ? unknown : { readonly "cmodx: token type": T; readonly "parameter type": P };

/** Parameter decorator: this constructor parameter is the part of this token. */
export const use =
  <T>(of: Token<T>) =>
  <C extends AnyClass, I extends number>(
    target: C,
    key: undefined,
    index: I & Fits<T, ConstructorParameters<C>[I]>,
  ): void =>
    inject(of)(target, key, index);

/** Parameter decorator: this constructor parameter is the list of all parts of this token. */
export const useAll =
  <T>(of: Token<T>) =>
  <C extends AnyClass, I extends number>(
    target: C,
    key: undefined,
    index: I & Fits<readonly T[], ConstructorParameters<C>[I]>,
  ): void =>
    injectAll(of)(target, key, index);

export { injectable };
