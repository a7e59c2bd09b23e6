"""DuckDB gives for history what NumPy gives for streams."""

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operations.expressions.histories import EXPRESSIONS, S, columns, histories, tame
from tests.operations.expressions.written import NAMES, TEXTS, anything

from lineshaft.core.errors import Invalid
from lineshaft.historian.sql.parsing import Parser
from lineshaft.historian.sql.rewriting import prepare
from lineshaft.operations.expressions.expression import compile_expression

BY_NUMPY = ("mean(", "stddev(")
"""What has no SQL that gives the same to the last digit."""
IN_SQL = [text for text in EXPRESSIONS if not any(word in text for word in BY_NUMPY)]
SCHEMA = pa.schema(
    [("point", pa.string()), ("time_ns", pa.int64()), ("number", pa.float64()),
     ("text", pa.string()), ("quality", pa.uint32())]
)  # fmt: skip


def table(rows):
    listed = [
        (f"hall/{n}", t, None if n in TEXTS else float(v), v if n in TEXTS else None, q)
        for n, found in rows.items()
        for t, v, q in found
    ]
    return pa.table(list(zip(*listed, strict=True)) or [[]] * 5, schema=SCHEMA)


def asked(text, rows):
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("samples", table(rows))
        return connection.execute(text).fetchall()


def compare(expression, rows):
    whole = expression.over(columns(rows, names(expression)), -(2**62), 2**62)
    found = asked(expression.sql(-(2**61), 100 * S, since_ns=-S), rows)
    assert [row[0] for row in found] == whole.time_ns.tolist()
    assert [row[2] for row in found] == whole.quality.tolist()
    wanted = [
        None if quality >= 0x8000_0000 else value
        for value, quality in zip(whole.values.tolist(), whole.quality.tolist(), strict=True)
    ]
    assert [row[1] for row in found] == wanted


def names(expression):
    return [p.path.removeprefix("hall/") for p in expression.inputs]


@settings(max_examples=100)
@given(
    st.sampled_from(IN_SQL), histories(values=tame, size_max=12), st.sampled_from([0, S // 2, S])
)
def test_history_in_sql_is_history_in_numpy(text, rows, every_ns):
    compare(compile_expression(text, NAMES, every_ns=every_ns), rows)


@settings(max_examples=50)
@given(anything(), histories(size_max=4))
def test_every_operator_in_sql_is_that_in_numpy(written, rows):
    compare(compile_expression(f"p || !p ? {written.ours} : {written.ours}", NAMES), rows)


LEFT = ["mean(a, '5s')", "stddev(a, '5s')", "pow(a, 2)", "exp(a)", "s.lowerAscii() == 'run'",
        "time().getHours('UTC') > 5 && p"]  # fmt: skip


@pytest.mark.parametrize("text", LEFT)
def test_what_sql_gives_otherwise_is_left_to_numpy(text):
    with pytest.raises(Invalid, match="no SQL"):
        compile_expression(text, NAMES).sql(0, 1, since_ns=0)


@pytest.mark.parametrize("text", IN_SQL)
def test_the_sql_is_what_the_historian_lets_pass(text):
    written = compile_expression(text, NAMES).sql(0, 100 * S, since_ns=0)
    ready = prepare(written, ["hall"], "2026-01-01T00:00:00Z", Parser())
    assert ready.views == {"samples"}


@given(st.text(max_size=12))
def test_no_text_of_a_user_gets_out_of_its_quotes(text):
    rows = {"s": [(1, text, 0)], "u": [(1, "", 0)]}
    expression = compile_expression("s + u == s && s.size() >= 0", NAMES)
    compare(expression, rows)
