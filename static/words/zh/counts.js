// Numbers of things.
import { whole } from "../../numbers.js";

export const count = (number, thing) => `${whole(number)} ${thing}`;
export const tokens = (number) => count(number, "个词元");
