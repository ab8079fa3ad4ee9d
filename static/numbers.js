// Numbers as the page writes them, in every language.

export function seconds(value) {
  if (value == null) return "–";
  return `${value.toFixed(value < 1 ? 2 : 1)} s`;
}

export function percent(fraction) {
  const value = Math.round(Math.abs(fraction) * 100);
  return `${fraction < 0 ? "−" : "+"}${value} %`;
}

export const whole = (number) => number.toLocaleString("en");
export const rate = (value) => (value > 0 ? `${value.toFixed(1)} tok/s` : "–");
