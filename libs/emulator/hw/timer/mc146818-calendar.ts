// Time, calendar and alarm bytes of an MC146818 in all of its formats.
// Motorola, "MC146818 Real-Time Clock Plus RAM (RTC)", ADI-856R2, 1988, table 3 (time, calendar, and alarm data modes).

/** Format of the ten bytes, from register B. */
export interface CalendarFormat {
  /** DM: binary instead of BCD. */
  readonly binary: boolean;
  /** 24/12: hours 0..23 instead of 1..12 with bit 7 for PM. */
  readonly hours24: boolean;
}

/** Addresses of the bytes. */
const Place = {
  Seconds: 0,
  SecondsAlarm: 1,
  Minutes: 2,
  MinutesAlarm: 3,
  Hours: 4,
  HoursAlarm: 5,
  Weekday: 6,
  Day: 7,
  Month: 8,
  Year: 9,
} as const;

const PM = 0x80;
/** An alarm byte with both upper bits set matches anything. */
const DONT_CARE = 0xc0;
/** The part's years 00..99 follow the leap years of 2000..2099. */
const CENTURY = 2000;
const MS_PER_SECOND = 1000;
const SECONDS_PER_DAY = 86_400;

const toByte = (value: number, { binary }: CalendarFormat): number =>
  binary ? value : (Math.floor(value / 10) << 4) | (value % 10);
const fromByte = (byte: number, { binary }: CalendarFormat): number =>
  binary ? byte : (byte >>> 4) * 10 + (byte & 15);

function hoursToByte(hours: number, format: CalendarFormat): number {
  return format.hours24 ? toByte(hours, format) : toByte(hours % 12 || 12, format) | (hours >= 12 ? PM : 0);
}

function hoursFromByte(byte: number, format: CalendarFormat): number {
  return format.hours24 ? fromByte(byte, format) : (fromByte(byte & ~PM, format) % 12) + (byte & PM ? 12 : 0);
}

/** Writes a Unix time into the bytes, weekday included (1 is Sunday). */
export function encodeTime(bytes: Uint8Array, unixSeconds: number, format: CalendarFormat): void {
  const date = new Date(unixSeconds * MS_PER_SECOND);
  bytes[Place.Seconds] = toByte(date.getUTCSeconds(), format);
  bytes[Place.Minutes] = toByte(date.getUTCMinutes(), format);
  bytes[Place.Hours] = hoursToByte(date.getUTCHours(), format);
  bytes[Place.Weekday] = toByte(date.getUTCDay() + 1, format);
  bytes[Place.Day] = toByte(date.getUTCDate(), format);
  bytes[Place.Month] = toByte(date.getUTCMonth() + 1, format);
  bytes[Place.Year] = toByte(date.getUTCFullYear() % 100, format);
}

/** Lets time go on. Bytes that are no valid time are taken for the time they would carry over to. */
export function addSeconds(bytes: Uint8Array, seconds: number, format: CalendarFormat): void {
  const byte = (place: number): number => bytes[place] ?? 0;
  // Most updates change the seconds alone.
  const newSeconds = fromByte(byte(Place.Seconds), format) + seconds;
  if (newSeconds < 60) {
    bytes[Place.Seconds] = toByte(newSeconds, format);
    return;
  }
  const minuteStart = Date.UTC(
    CENTURY + fromByte(byte(Place.Year), format),
    fromByte(byte(Place.Month), format) - 1,
    fromByte(byte(Place.Day), format),
    hoursFromByte(byte(Place.Hours), format),
    fromByte(byte(Place.Minutes), format),
  );
  const time = minuteStart / MS_PER_SECOND + newSeconds;
  const daysPassed = Math.floor(time / SECONDS_PER_DAY) - Math.floor(minuteStart / MS_PER_SECOND / SECONDS_PER_DAY);
  const weekday = fromByte(byte(Place.Weekday), format); // counts by itself, whatever the date says
  encodeTime(bytes, time, format);
  bytes[Place.Weekday] = toByte(((((weekday + daysPassed - 1) % 7) + 7) % 7) + 1, format);
}

/** Whether the alarm bytes match the time. */
export function alarmMatches(bytes: Uint8Array): boolean {
  const matches = (alarm: number, time: number): boolean => {
    const value = bytes[alarm] ?? 0;
    return (value & DONT_CARE) === DONT_CARE || value === bytes[time];
  };
  return (
    matches(Place.SecondsAlarm, Place.Seconds) &&
    matches(Place.MinutesAlarm, Place.Minutes) &&
    matches(Place.HoursAlarm, Place.Hours)
  );
}
