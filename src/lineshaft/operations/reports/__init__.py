"""Reports send what a shift came to, when it has ended, to those who want it.

```
calendar ─▶ mailing (a shift has ended) ─▶ kpis report ─▶ writing (text, HTML, CSV) ─▶ outbox
```

The place in the calendar and the messages are kept in one commit, so no shift is left out and none
is handed over twice.
"""
