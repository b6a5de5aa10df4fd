// Numbers and times as people read them.

/** `digits` is how many there are at least after the point: what changes all the time stays as wide as it is. */
export function percent(value: number, digits: 0 | 1 = 0): string {
  if (value > 0 && value < 0.1) return "< 0.1 %";
  const rounded = Math.round(value * 10) / 10;
  return `${rounded.toFixed(Number.isInteger(rounded) && (!digits || rounded === 0 || rounded === 100) ? 0 : 1)} %`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** As `1 line`, `2 lines`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function rate(perSecond: number): string {
  return perSecond >= 10 || perSecond === 0 ? count(perSecond) : perSecond.toFixed(1);
}

export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 1) return "< 1 s";
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
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

/** With the day when it is not today. */
export function moment(at: number): string {
  const date = new Date(at * 1000);
  if (date.toDateString() === new Date().toDateString()) return clock(at);
  return date.toLocaleString("en-GB", { hour12: false, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

const WHOLE: Intl.DateTimeFormatOptions = {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
  timeZoneName: "short",
};

/** With the time zone, so that it can be told to somebody elsewhere. */
export function dateTime(at: number): string {
  return new Date(at * 1000).toLocaleString("en-GB", WHOLE);
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
