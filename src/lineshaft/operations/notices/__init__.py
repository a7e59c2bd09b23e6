"""Notices tell people of alarms where they are: by webhook, by e-mail, over MQTT.

The log of the records is where alarms are read, and the outbox in the records is where notices
wait; the place in the log and the notices that follow from it are written in one commit, so that
a notice is neither lost nor made twice. It is sent at least once, always with the same identifier.

```
log ─▶ reading (rules: who, when) ─▶ outbox ─▶ couriers (quiet hours, floods, tries) ─▶ channels
```

Source: ISA-18.2-2016 for what asks for an answer; Standard Webhooks for signatures; RFC 5322 and
RFC 3834 for mail; MQTT 5 for user properties.
"""
