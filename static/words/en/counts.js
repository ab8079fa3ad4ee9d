// Numbers of things.
import { whole } from "../../numbers.js";

export const count = (number, thing) => `${whole(number)} ${thing}${number === 1 ? "" : "s"}`;
export const tokens = (number) => count(number, "token");
