"""The functions that SQL may call, reviewed one by one.

Left out on purpose: all that reads files, the environment, settings or the catalog; that sleeps,
logs, raises or keeps state; that makes one huge value from small ones (`repeat`, `lpad`, lists of
`range`, factorials) or takes quadratic time over one value, since the engine cannot be interrupted
within one; lambdas; and what depends on internals (`stats`, `typeof` of files, `vector_type`).
"""

OPERATORS = frozenset("+ - * / // % ** ^ & | ~ << >> || @ ~~ !~~ ~~* !~~* ~~~ ^@ @> <@ &&".split())
"""Operators, by the name under which the parser calls them."""

AGGREGATES = frozenset(
    """
    any_value arbitrary approx_count_distinct approx_quantile arg_max arg_max_null arg_min
    arg_min_null argmax argmin array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count
    count_if count_star countif covar_pop covar_samp entropy favg first fsum group_concat
    histogram kahan_sum kurtosis kurtosis_pop last list listagg mad max max_by mean median min
    min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count
    regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop
    stddev_samp string_agg sum sum_no_overflow sumkahan var_pop var_samp variance
    wavg weighted_avg geomean geometric_mean
    """.split()
)
"""Aggregates; each may be a window function too."""

WINDOWS = frozenset(
    """
    cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank
    rank_dense row_number
    """.split()
)
"""Functions of windows only."""

NUMBERS = frozenset(
    """
    abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees
    divide even exp fdiv floor fmod gamma gcd greatest greatest_common_divisor isfinite isinf isnan
    lcm least least_common_multiple lgamma ln log log10 log2 mod multiply nextafter pi pow power
    radians random round round_even roundbankers sign signbit sin sinh sqrt subtract tan tanh trunc
    xor equi_width_bins
    """.split()
) - {"equi_width_bins"}

TEXTS = frozenset(
    """
    ascii bit_length char_length character_length chr concat concat_ws contains ends_with hash hex
    instr lcase left len length length_grapheme like_escape not_like_escape ilike_escape
    not_ilike_escape lower ltrim md5 nfc_normalize octet_length ord position prefix
    regexp_extract regexp_full_match regexp_matches regexp_escape reverse right rtrim sha256
    split_part starts_with strip_accents strlen strpos substr substring suffix trim ucase unicode
    upper to_hex bin
    """.split()
)

TIMES = frozenset(
    """
    age century date_add date_diff date_part date_sub date_trunc datediff datepart datesub
    datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade epoch epoch_ms
    epoch_ns epoch_us era get_current_time get_current_timestamp hour isodow isoyear julian
    last_day make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns
    make_timestamptz microsecond millennium millisecond minute month monthname nanosecond now
    quarter second strftime strptime time_bucket timezone timezone_hour timezone_minute to_centuries
    to_days to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes to_months
    to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp try_strptime
    week weekday weekofyear year yearweek ago
    """.split()
)

VALUES = frozenset(
    """
    array_contains array_extract array_has array_length array_slice array_value bar cardinality
    constant_or_null coalesce element_at flatten format_bytes from_json if ifnull
    json_array_length json_contains json_exists json_extract json_extract_path
    json_extract_path_text json_extract_string json_keys json_type json_valid json_value
    -> ->> list_avg list_contains list_count list_extract list_first list_has list_last
    list_max list_median list_min list_position list_slice list_sort list_sum list_value map
    map_contains map_extract map_keys map_values nullif row struct_extract struct_pack to_json
    typeof unnest width_bucket
    """.split()
) - {"bar", "flatten", "from_json", "width_bucket"}

SCALARS = NUMBERS | TEXTS | TIMES | VALUES | OPERATORS
FUNCTIONS = SCALARS | AGGREGATES
"""What may be called as a function."""
TABLES = frozenset(("range", "generate_series", "unnest"))
"""What may be called where a table is wanted."""
STEADY = frozenset(
    """
    + - * / // epoch epoch_ms epoch_ns epoch_us make_date make_timestamp make_timestamp_ms
    make_timestamp_ns make_timestamptz to_days to_hours to_microseconds to_milliseconds to_minutes
    to_months to_quarters to_seconds to_timestamp to_weeks to_years trunc date_trunc
    """.split()
)
"""Cheap, and the same whenever they are called: a time that is made of these is a constant."""
NOW = frozenset(("now", "get_current_timestamp", "transaction_timestamp"))
TYPES = frozenset(
    """
    bool boolean tinyint smallint int integer bigint hugeint utinyint usmallint uinteger ubigint
    uhugeint int1 int2 int4 int8 int16 int32 int64 int128 uint8 uint16 uint32 uint64 uint128 long
    short signed float float4 float8 real double decimal numeric dec varchar text string char
    bpchar nvarchar date time timestamp datetime timestamptz timestamp_s timestamp_ms timestamp_us
    timestamp_ns interval json list array map struct row blob uuid
    """.split()
    + ["timestamp with time zone", "timestamp without time zone", "time with time zone"]
)
"""Types that a value may be cast to."""
