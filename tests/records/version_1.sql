-- A records file as version 1 wrote it: documents, an index table, events without a hash chain.
PRAGMA application_id = 1280526418;
PRAGMA user_version = 1;
CREATE TABLE documents (collection TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (collection, key));
CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, path TEXT NOT NULL, actor TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX events_kind ON events (kind, seq);
CREATE INDEX events_path ON events (path, seq);
CREATE INDEX events_actor ON events (actor, seq);
CREATE TABLE "rows_things" (key TEXT NOT NULL, row INTEGER NOT NULL, "c_name" TEXT, PRIMARY KEY (key, row)) WITHOUT ROWID;
INSERT INTO documents VALUES ('things', 'a', 3, x'7b226b6579223a2261227d');
INSERT INTO "rows_things" VALUES ('a', 0, 'n');
INSERT INTO events VALUES (1, '0190a0b0-0000-7000-8000-000000000001', 1700000000000000000, 'access.login', '', 'eva', '{"address":"10.0.0.7"}');
INSERT INTO events VALUES (2, '0190a0b0-0000-7000-8000-000000000002', 1700000001000000000, 'write.done', 'a/b', 'eva', '{"value":1.5,"text":"ü"}');
