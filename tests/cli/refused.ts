import { i32, kernel, ptr, S } from "kpu-dsl";

/** `kpu check` must point at line 6, column 3. */
export const refused = kernel([ptr(i32), i32], function refused(x, n) {
  if (S.tileId() !== 0) return;
  var i = n;
  x.set(0, i);
});
