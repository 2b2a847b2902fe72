/** A function that makes kernels by numbers, made to give the same kernel for the same numbers. */
export function perKey<N extends readonly number[], K>(make: (...numbers: N) => K): (...numbers: N) => K {
  const made = new Map<string, K>();
  return (...numbers) => {
    const key = numbers.join(" ");
    const found = made.get(key) ?? make(...numbers);
    made.set(key, found);
    return found;
  };
}
