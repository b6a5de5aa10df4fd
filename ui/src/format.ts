// Numbers and times as people read them.

export function percent(value: number): string {
  if (value > 0 && value < 0.1) return "< 0.1 %";
  const digits = value === 0 || value >= 99.95 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} %`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function rate(perSecond: number): string {
  return perSecond >= 10 || perSecond === 0 ? count(perSecond) : perSecond.toFixed(1);
}

export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  const days = Math.floor(whole / 86400);
  return days === 1 ? "1 day" : `${days} days`;
}

/** As `12 s`, `4 min`, `3 h`, `2 days`: what is long ago needs no seconds. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h`;
  return duration(whole);
}

export function clock(at: number): string {
  return new Date(at * 1000).toLocaleTimeString("en-GB", { hour12: false });
}

export function dateTime(at: number): string {
  return new Date(at * 1000).toLocaleString("en-GB", { hour12: false, dateStyle: "medium", timeStyle: "medium" });
}

export function dollars(perHour: number): string {
  return `$${perHour.toPrecision(2).replace(/\.?0+$/, "")}`;
}

export function bytes(size: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let at = 0;
  while (size >= 1024 && at < units.length - 1) {
    size /= 1024;
    at += 1;
  }
  return `${at && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[at]}`;
}
