"""Queries that want more than they may: files, settings, other people's rows, the whole machine."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

import pytest

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid, LineshaftError, Unavailable
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.historian import COLLECTIONS
from lineshaft.historian.namespace import Namespace
from lineshaft.historian.sql.asking import Limits, Sql
from lineshaft.records import Records
from lineshaft.stores import Question, Store

NOON = 1_780_000_000 * NS_PER_S
LOOK = frozenset({Action.LOOK})
ALL = Identity(name="alma", actions=LOOK)
LIMITED = Identity(name="ben", actions=LOOK, branches=("works/b",))


class Place:
    """A store with rows of three branches, and SQL over it."""

    def __init__(self, store: Store, sql: Sql, folder) -> None:
        self.store = store
        self.sql = sql
        self.folder = folder

    async def rows(self, text: str, who: Identity = ALL) -> list[tuple]:
        found = []
        async with contextlib.aclosing(self.sql.ask(text, who)) as answer:
            async for batch in answer:
                columns = [c.to_pylist() for c in batch.columns]
                found += list(zip(*columns, strict=True))
        return found


@contextlib.asynccontextmanager
async def place(kind: str, folder, **limits) -> AsyncGenerator[Place]:
    table = {"name": "s", "kind": kind} | ({"path": str(folder / "s")} if kind == "parquet" else {})
    store = build(Store, table)
    records = build(Records, {"name": "r", "kind": "memory"})
    async with store.opened(), records.opened(COLLECTIONS):
        for part in range(2):
            rows = []
            for branch in ("a", "b", "b-side"):
                for i in range(20):
                    at = NOON + (i + 10 * part) * NS_PER_S
                    rows.append((f"works/{branch}/oil", at, float(i)))
                rows.append((f"works/{branch}/job", NOON + part, f"secret-{branch}-{part}"))
            await store.append(Batch.of_rows(rows))
            if not part:
                await store.settle()
        namespace = Namespace(records, points_max=1000)
        namespace.declare(
            Point(path=f"works/{b}/{p}", unit="Cel", low=1.0, description=f"of {b}")
            for b in ("a", "b", "b-side")
            for p in ("oil", "job")
        )
        yield Place(store, Sql(store, namespace, Limits(**limits)), folder)


@pytest.fixture(params=["memory", "parquet"])
async def sql(request, tmp_path):
    async with place(request.param, tmp_path) as made:
        yield made


STATEMENTS = """
COPY samples TO '/tmp/x.csv'
COPY (SELECT * FROM samples) TO '/tmp/x.parquet' (FORMAT parquet)
COPY samples FROM '/etc/passwd'
ATTACH '/tmp/x.db' AS x
ATTACH ':memory:' AS x
DETACH x
USE main
PRAGMA database_list
PRAGMA table_info('samples')
SET enable_external_access = true
SET memory_limit = '100GB'
RESET memory_limit
INSTALL httpfs
LOAD httpfs
FORCE INSTALL httpfs FROM 'http://example.com'
CREATE TABLE t AS SELECT 1
CREATE MACRO f(x) AS x
CREATE SECRET (TYPE s3)
CREATE VIEW v AS SELECT 1
INSERT INTO samples SELECT * FROM samples
UPDATE samples SET number = 0
DELETE FROM samples
DROP VIEW samples
ALTER VIEW samples RENAME TO x
TRUNCATE samples
MERGE INTO samples USING points ON true WHEN MATCHED THEN DELETE
BEGIN TRANSACTION
CHECKPOINT
VACUUM
ANALYZE
EXPORT DATABASE '/tmp/x'
IMPORT DATABASE '/tmp/x'
CALL pragma_version()
CALL duckdb_settings()
PREPARE p AS SELECT 1
EXECUTE p
EXPLAIN SELECT * FROM samples
EXPLAIN ANALYZE SELECT * FROM samples
DESCRIBE samples
SUMMARIZE samples
SHOW TABLES
SHOW ALL TABLES
PIVOT samples ON point USING avg(number)
SELECT 1; SELECT 2
SELECT 1; COPY samples TO '/tmp/x.csv'
SELECT 1; -- x
;;SELECT 1; ATTACH '/tmp/x.db'
SELECT * FROM samples FOR UPDATE
SELECT 1 INTO x
""".strip().splitlines()

FROMS = """
read_parquet('/etc/passwd')
read_parquet('segments/*.parquet')
read_parquet(['a.parquet'])
parquet_scan('x')
parquet_metadata('x')
parquet_schema('x')
read_csv('/etc/passwd')
read_csv_auto('/etc/passwd')
sniff_csv('/etc/passwd')
read_json('/etc/passwd')
read_json_auto('x')
read_ndjson('x')
read_text('/etc/passwd')
read_blob('/proc/self/environ')
read_duckdb('x.db')
glob('/*')
glob('**')
query('SELECT 1')
query_table('samples')
query_table(['samples'])
duckdb_tables()
duckdb_settings()
duckdb_secrets()
duckdb_functions()
duckdb_views()
duckdb_temporary_files()
duckdb_logs()
duckdb_variables()
pragma_database_list()
pragma_table_info('samples')
pragma_storage_info('samples')
pragma_user_agent()
pragma_version()
which_secret('x', 's3')
json_execute_serialized_sql('{}')
arrow_scan(1, 2, 3)
python_map_function()
pandas_scan(1)
seq_scan('samples')
summary(TABLE samples)
test_all_types()
repeat('x', 1000000000)
repeat_row('x', num_rows = 1000000000)
checkpoint()
force_checkpoint()
enable_logging()
histogram('samples', 'number')
main.range(3)
system.main.range(3)
'/etc/passwd'
'x.parquet'
'segments/*.parquet'
'../*.parquet'
'file:///etc/passwd'
'http://127.0.0.1/x.parquet'
'https://example.com/x.csv'
's3://b/x.parquet'
'gs://b/x'
"x.parquet"
"/proc/self/environ"
'\\\\host\\share\\x.parquet'
'x.db'
'a.b.c'
main.samples
memory.main.samples
temp.samples
temp.main.samples
system.main.duckdb_tables
information_schema.tables
information_schema.columns
pg_catalog.pg_tables
pg_tables
pg_views
sqlite_master
sqlite_schema
duckdb_columns
duckdb_views
duckdb_tables
__lineshaft_rows
__lineshaft_hot
"__LINESHAFT_HOT"
hot
wanted
df
samples AT (VERSION => 1)
samples TABLESAMPLE 10%
samples PIVOT (avg(number) FOR point IN ('a'))
samples UNPIVOT (x FOR y IN (number))
(DESCRIBE samples)
(SHOW TABLES)
(PIVOT samples ON point USING avg(number))
(SUMMARIZE samples)
(INSERT INTO samples SELECT * FROM samples RETURNING *)
(DELETE FROM samples RETURNING *)
(CALL pragma_version())
(COPY samples TO '/tmp/x')
range((SELECT count(*) FROM read_csv('/etc/passwd')))
""".strip().splitlines()

VALUES = """
getenv('HOME')
current_setting('memory_limit')
current_query()
current_schemas(true)
version()
pg_sleep(10)
sleep_ms(10000)
error('x')
nextval('s')
currval('s')
setseed(0.5)
getvariable('x')
write_log('x')
in_search_path('a', 'b')
txid_current()
stats(number)
vector_type(number)
index_key('samples', 1)
parse_path('/x')
json_serialize_sql('SELECT 1')
json_deserialize_sql('{}')
json_serialize_plan('SELECT 1')
json_execute_serialized_sql('{}')
from_json('{}', '{}')
cast_to_type(1, 'x')
can_cast_implicitly(1, 'x')
pg_typeof(1)
pg_get_viewdef(1)
pg_postmaster_start_time()
inet_server_addr()
has_table_privilege('x', 'y')
col_description(1, 1)
repeat('x', 1000000000)
lpad('x', 2000000000, 'x')
rpad('x', 2000000000, 'x')
range(1000000000)
generate_series(1, 1000000000)
list_resize([1], 1000000000)
array_resize([1], 1000000000)
bar(1, 0, 10, 1000000000)
format('{:1000000000}', 1)
printf('%1000000000d', 1)
to_base(10, 2, 1000000000)
factorial(100000)
10!
levenshtein(text, text)
list_transform([1], x -> x + 1)
list_filter([1], lambda x: x > 1)
list_reduce([1, 2], lambda x, y: x + y)
apply([1], lambda x: x)
[x + 1 for x in [1, 2]]
list_aggregate([1], 'sum')
aggregate([1], 'sum')
invoke(lambda x: x, 1)
__internal_compress_string_hugeint('x')
__internal_decompress_string(1::UTINYINT)
__cast(1)
current_database()
nosuchfunction(1)
main.abs(1)
system.main.abs(1)
pg_catalog.format_type(1, 2)
samples.getenv()
COLUMNS(*)
COLUMNS('.*')
*COLUMNS(*)
?
$1
$name
DEFAULT
1::nosuchtype
1::regclass
1::main.integer
NULL::ENUM('a', 'b')
'a' COLLATE de
(SELECT content FROM read_text('/etc/passwd'))
EXISTS (SELECT 1 FROM glob('/*'))
1 IN (SELECT 1 FROM duckdb_settings())
array(SELECT 1 FROM duckdb_settings())
CASE WHEN true THEN getenv('HOME') END
coalesce(getenv('HOME'))
sum(getenv('HOME')) OVER ()
count(*) FILTER (WHERE getenv('HOME') = '')
list(number ORDER BY getenv('HOME'))
{'a': getenv('HOME')}
[getenv('HOME')]
(getenv('HOME'), 1)
getenv('HOME') BETWEEN 1 AND 2
getenv('HOME') COLLATE nocase
getenv('HOME')::VARCHAR
getenv('HOME') IS NULL
NOT getenv('HOME')
[1][getenv('HOME')::INT]
TRY(getenv('HOME'))
geтenv('HOME')
""".strip().splitlines()

CLAUSES = [
    "SELECT {} FROM samples",
    "SELECT 1 FROM samples WHERE {} = '1'",
    "SELECT 1 FROM samples GROUP BY {}",
    "SELECT 1 FROM samples GROUP BY number HAVING {} = '1'",
    "SELECT 1 FROM samples QUALIFY {} = '1'",
    "SELECT 1 FROM samples ORDER BY {}",
    "SELECT 1 FROM samples LIMIT {}",
    "SELECT 1 FROM samples LIMIT 1 OFFSET {}",
    "SELECT DISTINCT ON ({}) 1 FROM samples",
    "SELECT 1 FROM samples JOIN points ON {} = '1'",
    "SELECT * REPLACE ({} AS number) FROM samples",
    "SELECT sum(1) OVER (PARTITION BY {}) FROM samples",
    "SELECT sum(1) OVER (ORDER BY {}) FROM samples",
    "SELECT sum(1) OVER (ROWS BETWEEN {} PRECEDING AND CURRENT ROW) FROM samples",
    "SELECT lag(1, {}) OVER () FROM samples",
    "SELECT * FROM (VALUES ({})) t",
    "SELECT * FROM range({}) t",
    "SELECT * FROM unnest([{}]) t",
    "SELECT 1 UNION ALL SELECT {}",
    "SELECT 1 EXCEPT SELECT {}",
    "WITH x AS (SELECT {}) SELECT 1",
    "WITH x AS MATERIALIZED (SELECT {}) SELECT * FROM x",
    "SELECT 1 FROM samples s, LATERAL (SELECT {}) l",
    "SELECT (SELECT (SELECT {}))",
    "VALUES (1, {})",
    "FROM samples SELECT {}",
    "SELECT 1 FROM samples GROUP BY ROLLUP ({})",
    "SELECT sum(1) OVER w FROM samples WINDOW w AS (ORDER BY {})",
    "SELECT 1, /* {} */ {} -- {}",
]


async def test_no_statement_but_a_select_is_taken(sql):
    for text in STATEMENTS:
        with pytest.raises(Invalid) as error:
            if await sql.rows(text) == [(1,)] and text in ("SELECT 1; -- x",):
                raise Invalid("a comment is no statement", remedy="none")
        assert error.value.remedy, text
    for text in ("", " ", "-- x", "/* x */", ";", "\0", "SELECT '\0'", "\ufeff", "SELECT", "FROM"):
        with pytest.raises(Invalid):
            await sql.rows(text)


async def test_nothing_but_the_views_can_be_read_from(sql):
    for table in FROMS:
        for text in (
            f"SELECT * FROM {table}",
            f"SELECT 1 FROM samples, {table}",
            f"WITH x AS (SELECT 1 FROM {table}) SELECT * FROM samples",
            f"SELECT 1 FROM samples WHERE EXISTS (SELECT 1 FROM {table})",
            f"SELECT * FROM samples s, LATERAL (SELECT 1 FROM {table}) l",
        ):
            with pytest.raises(Invalid) as error:
                await sql.sql.check(text, ALL)
            assert error.value.remedy, text


async def test_no_other_function_can_be_called(sql):
    for value in VALUES:
        with pytest.raises(Invalid) as error:
            await sql.sql.check(f"SELECT {value} FROM samples", ALL)
        assert error.value.remedy, value


async def test_there_is_no_clause_to_hide_in(sql):
    for clause in CLAUSES:
        for value in ("getenv('HOME')", "(SELECT 1 FROM glob('/*'))", "(SELECT 1 FROM hot)"):
            with pytest.raises(Invalid):
                await sql.sql.check(clause.replace("{}", value), ALL)


async def test_a_cte_hides_no_view_and_reaches_no_other_table(sql):
    for text in (
        "WITH samples AS (SELECT 1) SELECT * FROM samples",
        'WITH "SAMPLES" AS (SELECT 1) SELECT * FROM samples',
        "WITH points AS (SELECT 1) SELECT * FROM samples",
        "WITH x AS (SELECT * FROM x) SELECT * FROM x",
        "WITH x AS (SELECT * FROM y), y AS (SELECT 1) SELECT * FROM x",
        "SELECT * FROM (WITH hot AS (SELECT 1) SELECT * FROM hot), hot",
        "WITH __lineshaft_hot AS (SELECT 1) SELECT * FROM samples",
        "WITH pg_tables AS (SELECT 1) SELECT * FROM pg_tables",
        "WITH duckdb_settings AS (SELECT 1) SELECT 1",
        "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT * FROM r) SELECT * FROM r",
        "WITH x AS (INSERT INTO samples VALUES (1) RETURNING *) SELECT * FROM x",
        "WITH x AS (DELETE FROM samples RETURNING *) SELECT * FROM x",
        "WITH x AS (UPDATE samples SET number = 1 RETURNING *) SELECT * FROM x",
    ):
        with pytest.raises(Invalid):
            await sql.sql.check(text, ALL)
    assert await sql.rows("WITH x AS (SELECT 1 a), y AS (SELECT a + 1 b FROM x) FROM y") == [(2,)]


async def test_a_text_that_would_keep_the_parser_busy_is_refused_at_once(sql):
    began = time.process_time()
    for text in (
        "SELECT " + "(" * 5000,
        "SELECT " + "(" * 5000 + "1" + ")" * 5000,
        "SELECT " + "- " * 9000 + "1",
        "SELECT " + "[" * 5000,
        "SELECT " + "{'a':" * 4000,
        "SELECT " + "NOT " * 4000 + "true",
        "SELECT " + "CASE WHEN " * 1900,
        "SELECT 1" + "+1" * 3000,
        "SELECT " + "(SELECT " * 450 + "1" + ")" * 450,
        "SELECT " + "f(" * 490 + "1" + ")" * 490,
        "SELECT * FROM " + "(SELECT * FROM " * 300 + "samples" + ")" * 300,
        "SELECT 1" + " UNION ALL SELECT 1" * 1000,
        "SELECT 1 WHERE " + " OR ".join("a AND (b" for _ in range(400)) + ")" * 400,
        "SELECT '" + "x" * 1_000_000 + "'",
        "SELECT 1::" + "STRUCT(a " * 400 + "INT" + ")" * 400,
    ):
        with pytest.raises(Invalid):
            await sql.sql.check(text, ALL)
    assert time.process_time() - began < 20


async def test_what_is_written_oddly_is_understood_or_refused(sql):
    same = [
        "sElEcT count(*) FrOm SaMpLeS",
        "FROM samples SELECT count(*)",
        '/* a */ SELECT count(*) FROM "samples" -- b',
        "((SELECT count(*) FROM samples))",
        "SELECT count(*) FROM samples;",
        "WITH t AS (TABLE samples) SELECT count(*) FROM t",
        'SELECT count(*) FROM samples AS "points"',
        'SELECT count(*) FROM samples AS "a""b\'; DROP"',
    ]
    answers = [await sql.rows(text, LIMITED) for text in same]
    assert answers == [[(32,)]] * len(same)


# ---- other people's rows

OTHERS = [
    "SELECT count(*) FROM samples WHERE point LIKE 'works/a/%'",
    "SELECT count(*) FROM samples WHERE point LIKE 'works/b-side/%'",
    "SELECT count(*) FROM points WHERE point NOT LIKE 'works/b/%'",
    "SELECT count(*) FROM rollup_1m WHERE point NOT LIKE 'works/b/%'",
    "SELECT count(*) FROM rollup_1s r WHERE r.point = 'works/a/oil'",
    "SELECT count(*) FROM rollup_10m WHERE point = 'works/a/oil'",
    "SELECT count(*) FROM rollup_1h WHERE point = 'works/a/oil'",
    "SELECT count(*) FROM samples WHERE text LIKE 'secret-a%'",
    "SELECT count(*) FROM (SELECT * FROM samples) s WHERE s.point = 'works/a/oil'",
    "WITH x AS (SELECT * FROM samples) SELECT count(*) FROM x WHERE point = 'works/a/oil'",
    "SELECT count(*) FROM samples s(p, t) WHERE p = 'works/a/oil'",
    "SELECT count(*) FROM samples AS points WHERE point = 'works/a/oil'",
    "SELECT count(*) FROM points p JOIN samples s USING (point) WHERE p.point = 'works/a/oil'",
    "SELECT count(*) FROM (VALUES ('works/a/oil')) v(point) JOIN samples USING (point)",
    "SELECT count(*) FROM (VALUES ('works/a/oil')) v(point) SEMI JOIN samples USING (point)",
    "SELECT count(s.number) FROM (VALUES ('works/a/oil')) v(point) LEFT JOIN samples s"
    " USING (point)",
    "SELECT count(*) FROM samples a, samples b WHERE a.point <> b.point"
    " AND NOT starts_with(b.point, 'works/b/')",
    "SELECT count(*) FROM samples WHERE EXISTS (SELECT 1 FROM samples WHERE point = 'works/a/oil')",
    "SELECT count(*) FROM samples WHERE point IN (SELECT point FROM points WHERE point LIKE"
    " 'works/a/%')",
    "SELECT count(*) FROM (SELECT 'works/a/oil' AS p) o, LATERAL (SELECT * FROM samples s WHERE"
    " s.point = o.p) l",
    "SELECT count(x) FROM (SELECT (SELECT max(number) FROM samples WHERE point = 'works/a/oil') x)",
    "SELECT count(*) FROM (SELECT point FROM samples UNION SELECT point FROM points) WHERE"
    " point LIKE 'works/a%'",
    "SELECT count(*) FROM (SELECT unnest(list(DISTINCT point)) p FROM samples) WHERE p LIKE"
    " 'works/a%'",
    "SELECT count(*) FROM (SELECT lag(point) OVER (ORDER BY point) p FROM samples) WHERE p LIKE"
    " 'works/a%'",
    "SELECT count(*) FROM samples s WHERE s::VARCHAR LIKE '%secret-a%'",
    "SELECT count(*) FROM samples s WHERE to_json(s)::VARCHAR LIKE '%secret-a%'",
    "SELECT count(*) FROM samples FULL JOIN points USING (point) WHERE point LIKE 'works/a%'",
    "SELECT count(*) FROM samples NATURAL JOIN points WHERE point LIKE 'works/a%'",
    "SELECT count(*) FROM samples ASOF JOIN rollup_1m r USING (point, time) WHERE r.point LIKE"
    " 'works/a%'",
    "SELECT count(*) FROM samples POSITIONAL JOIN rollup_1m r WHERE r.point LIKE 'works/a%'",
    "SELECT count(*) FROM samples WHERE point = 'works/a/oil' OR 1 = 1 AND point LIKE 'works/a%'",
    "SELECT 0 FROM samples HAVING max(point) > 'works/b/z' OR min(point) < 'works/b'",
]


async def test_rows_of_another_branch_do_not_exist(sql):
    for text in OTHERS:
        told = await sql.rows(text, LIMITED)
        assert told in ([(0,)], []), text
    seen = await sql.rows("SELECT DISTINCT point FROM samples ORDER BY 1", LIMITED)
    assert seen == [("works/b/job",), ("works/b/oil",)]
    assert await sql.rows("SELECT count(*), max(text) FROM samples", LIMITED) == [
        (32, "secret-b-1")
    ]


ERRORS = [
    "SELECT count(*) FROM {} WHERE (CASE WHEN point LIKE 'works/a/%' THEN 'x' ELSE '1' END)::INT=1",
    "SELECT (CASE WHEN point LIKE 'works/a/%' THEN 'x' ELSE '1' END)::INT FROM {}",
    "SELECT count(*) FROM {} WHERE CASE WHEN point LIKE 'works/a%' THEN chr(-1) ELSE '1' END = '1'",
    "SELECT sum((CASE WHEN point LIKE 'works/a%' THEN 'x' ELSE '1' END)::INT) FROM {}",
    "SELECT count(*) FROM {} a JOIN {} b ON a.point = b.point AND"
    " (CASE WHEN a.point LIKE 'works/a/%' THEN 'x' ELSE '1' END)::INT = 1",
    "SELECT count(*) FROM {} GROUP BY (CASE WHEN point LIKE 'works/a/%' THEN 'x' ELSE '1' END)::INT",
    "SELECT * FROM {} ORDER BY (CASE WHEN point LIKE 'works/a/%' THEN 'x' ELSE '1' END)::INT LIMIT 1",
    "SELECT count(*) FROM (SELECT DISTINCT point FROM {}) WHERE"
    " (CASE WHEN point LIKE 'works/a/%' THEN 'x' ELSE '1' END)::INT = 1",
    "WITH x AS (SELECT * FROM {}) SELECT count(*) FROM x WHERE"
    " (CASE WHEN point LIKE 'works/a/%' THEN 'x' ELSE '1' END)::INT = 1",
]


@pytest.mark.parametrize("view", ["samples", "points", "rollup_1m", "rollup_1h"])
async def test_no_error_tells_of_the_rows_of_another(sql, view):
    for text in ERRORS:
        await sql.rows(text.replace("{}", view), LIMITED)
        with pytest.raises(Invalid):
            await sql.rows(text.replace("{}", view), ALL)


async def test_who_sees_nothing_sees_nothing(sql):
    nobody = Identity(name="nina", actions=LOOK, branches=("elsewhere",))
    for view in ("samples", "points", "rollup_1s", "rollup_1m", "rollup_10m", "rollup_1h"):
        assert await sql.rows(f"SELECT count(*) FROM {view}", nobody) == [(0,)]


async def test_a_branch_that_looks_like_sql_is_only_a_text(sql):
    odd = Identity(name="odd", actions=LOOK, branches=("' OR 1=1 --", "x') OR ('a'='a", "%"))
    assert await sql.rows("SELECT count(*) FROM samples", odd) == [(0,)]


# ---- the second wall: should the first one fall


async def test_the_store_itself_reaches_no_file(sql, tmp_path):
    (tmp_path / "x.csv").write_text("a\n1\n")
    for text in (
        f"SELECT * FROM '{tmp_path}/x.csv'",
        f"SELECT * FROM read_text('{tmp_path}/x.csv')",
        f"COPY (SELECT 1) TO '{tmp_path}/y.csv'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        f"ATTACH '{tmp_path}/z.db'",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "RESET lock_configuration",
        "INSTALL httpfs",
        "LOAD httpfs",
    ):
        with pytest.raises(LineshaftError):
            async for _ in sql.store.sql(Question(text=text)):
                pass
    assert not (tmp_path / "y.csv").exists()
    assert not (tmp_path / "z.db").exists()


# ---- the whole machine

HEAVY = [
    "SELECT count(*) FROM samples a, samples b, samples c, samples d, samples e, samples f",
    "SELECT sum(a.range) FROM range(1000000000000) a",
    "SELECT count(*) FROM range(1000000) a JOIN range(1000000) b ON a.range < b.range",
]
LARGE = [
    "SELECT array_agg(range) FROM range(1000000000)",
    "SELECT a.range FROM range(100000000) a ORDER BY hash(range)",
    "SELECT string_agg('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '') FROM range(1000000000)",
    # Texts that DuckDB does not count: the operating system does.
    "WITH s AS (SELECT string_agg('aaaaaaaaaa', '') a FROM range(5000000)) SELECT"
    " max(length(a || a || a || a || a || a || a || a || a || a)) FROM s, range(2000)",
]


async def test_a_query_that_takes_long_ends_and_the_rest_goes_on(tmp_path):
    async with place("parquet", tmp_path, sql_s=1.5, sql_concurrent=3) as made:
        for text in HEAVY:
            async with asyncio.TaskGroup() as group:
                heavy = group.create_task(_refusal(made, text))
                await made.store.append(Batch.of_rows([("works/a/oil", NOON - 1, 1.0)]))
                assert await made.rows("SELECT 1") == [(1,)]
            assert "more than 1.5 s" in str(heavy.result())


@pytest.mark.parametrize("text", LARGE)
async def test_a_query_that_takes_much_memory_ends(tmp_path, text):
    async with place("memory", tmp_path, sql_s=20, sql_memory_mb=64) as made:
        assert "memory" in str(await _refusal(made, text))
        assert await made.rows("SELECT 1") == [(1,)]


async def _refusal(made: Place, text: str) -> Unavailable:
    with pytest.raises(Unavailable) as error:
        await made.rows(text)
    return error.value


async def test_a_caller_who_goes_away_takes_the_query_along(sql):
    text = "SELECT a.range FROM range(1000000000000) a"
    answer = sql.sql.ask(text, ALL)
    await anext(answer)
    assert sql.sql.running == 1
    await answer.aclose()
    assert sql.sql.running == 0
    task = asyncio.create_task(sql.rows(HEAVY[1]))  # noqa: TID251 - cancelled below
    while not sql.sql.running:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sql.sql.running == 0


async def test_one_too_many_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lineshaft.historian.sql.asking.WAIT_S", 0.2)
    async with place("memory", tmp_path, sql_concurrent=1) as made:
        answer = made.sql.ask("SELECT * FROM range(100000000000)", ALL)
        await anext(answer)
        assert "as many as may" in str(await _refusal(made, "SELECT 1"))
        await answer.aclose()
        assert await made.rows("SELECT 1") == [(1,)]
