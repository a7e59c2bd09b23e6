/** The words of the API of notices, and one function for every question about them. */
import { ask } from "../../http";

export type NoticeStatus = "waiting" | "sent" | "joined" | "cancelled" | "given-up";
export const STATUSES: readonly NoticeStatus[] = ["waiting", "sent", "joined", "cancelled", "given-up"];

export interface RecipientView {
  name: string;
  channel: "webhook" | "mail" | "mqtt";
  address: string;
  language: string;
  zone: string;
  quiet: { start: string; stop: string; days: string[] }[];
  quiet_below: string;
  at_most: number;
  waiting: number;
  trouble: string;
}

export interface Rule {
  name: string;
  branch: string;
  groups: string[];
  priorities: string[];
  on: string[];
  steps: { to: string[]; after_s: number }[];
  repeat_s: number;
}

export interface Overview {
  recipients: RecipientView[];
  rules: Rule[];
  may_configure: boolean;
}

export interface OutboxEntry {
  id: string;
  what: "alarm" | "digest" | "mail" | "test";
  recipient: string;
  status: NoticeStatus;
  due_ns: number;
  done_ns: number;
  subject: string;
  told: { alarm: string; on: string } | null;
  items: { alarm: string }[];
  more: number;
  held: boolean;
  tries: number;
  error: string;
}

export const noticesApi = {
  overview: (signal?: AbortSignal) => ask<Overview>("GET", "/notices", { signal }),
  outbox: (status: NoticeStatus | "", signal?: AbortSignal) =>
    ask<{ items: OutboxEntry[] }>("GET", "/notices/outbox", { query: status ? { status, limit: 200 } : { limit: 200 }, signal }),
  test: (recipient: string) => ask<OutboxEntry>("POST", "/notices/test", { body: { recipient } }),
  retry: (ids: string[]) => ask<{ items: OutboxEntry[] }>("POST", "/notices/retry", { body: { ids } }),
};
