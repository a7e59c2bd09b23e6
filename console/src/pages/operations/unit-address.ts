/** Addresses of the pages about work units. */
import { levels } from "../../router";

export const unitAddress = (unit: string) => `/unit/${levels(unit)}`;

export const stopsAddress = (unit: string) => `/stops/${levels(unit)}`;

export const reportAddress = (query: Record<string, string>) => {
  const given = Object.entries(query).filter(([, value]) => value);
  return given.length ? `/report?${new URLSearchParams(given).toString()}` : "/report";
};

/** The open alarms of a unit. */
export const alarmsAddress = (unit: string) => `/alarms?${new URLSearchParams({ search: `${unit}/` }).toString()}`;
