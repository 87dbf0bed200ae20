"""One of the benchmark's rules, written by hand for another engine.

    python peers.py ENGINE RULE DATA FORMAT

ENGINE is duckdb, polars, datafusion or chdb; RULE is filter, summarize, json,
or one of the large groupings: group, join, sets, distinct. DATA is the folder
that generate.py filled, FORMAT ndjson or parquet. The rows go to standard
output, one JSON object a line; run.py compares them with rulec's.

Each is what somebody who knows the engine would write: columns and types are
given instead of inferred, only needed columns are read, conditions stand where
the engine can push them down. Two threads, as all contestants get.
"""

import datetime
import json
import sys

THREADS = 2
SINCE = "2026-01-15 10:00:00"

CALLS = [
    "CreateRemoteThreadApiCall",
    "NtAllocateVirtualMemoryRemoteApiCall",
    "NtMapViewOfSectionRemoteApiCall",
    "QueueUserApcRemoteApiCall",
    "SetThreadContextRemoteApiCall",
]
PIPES = [
    r"(?i)\\(msse-[0-9]+-server|msagent_[0-9a-f]{2}|status_[0-9a-f]{2}|wkssvc_?[0-9a-f]{2}|gruntsvc|remcom_communicaton)$",
    r"(?i)\\postex_(ssh_)?[0-9a-f]{4}$",
    r"(?i)\\mojo\.5688\.8052\.(183894939787088877|[0-9]{5}35780273329370473)[0-9a-f]{2}$",
    r"(?i)\\psexesvc-.+-(stdin|stdout|stderr)$",
]
SHADOWS = r"(?i)\b(delete|resize)\s+shadow(s|storage)\b"
CATALOG = r"(?i)\bdelete\s+(catalog|systemstatebackup|backup)\b"
RECOVERY = r"(?i)\b(recoveryenabled\s+(no|off|0)|bootstatuspolicy\s+ignoreallfailures)\b"

FILTER_COLUMNS = (
    "Timestamp DeviceId DeviceName ReportId AccountDomain AccountName AccountSid FileName FolderPath SHA1 "
    "ProcessCommandLine InitiatingProcessFileName InitiatingProcessFolderPath InitiatingProcessCommandLine"
).split()
JSON_COLUMNS = (
    "Timestamp DeviceId DeviceName ReportId InitiatingProcessFileName InitiatingProcessFolderPath "
    "InitiatingProcessCommandLine InitiatingProcessSHA1"
).split()
RELATE_COLUMNS = "Timestamp DeviceId AccountName FileName SHA1 ProcessId ReportId".split()


def kind(name):
    """The type of a column: text, long, time or flag."""
    if name.endswith(("Timestamp", "CreationTime")):
        return "time"
    if name in ("IsInitiatingProcessRemoteSession", "IsProcessRemoteSession"):
        return "flag"
    number = ("FileSize", "ProcessId", "LogonId", "ReportId", "Port", "ParentId", "SessionId")
    return "long" if name.endswith(number) else "text"


def columns(folder, table):
    """All columns of a table, from its first event."""
    with open(f"{folder}/{table}.ndjson", encoding="utf-8") as lines:
        return list(json.loads(next(lines)))


def filter_condition(lower, matches, contains):
    """The condition of RL-0003 in SQL, given how a dialect says three things."""
    command = "ProcessCommandLine"
    folded = lower(command)
    return f"""
        {lower("ActionType")} = 'processcreated'
        AND (
            ({lower("FileName")} = 'vssadmin.exe' AND {matches(command, SHADOWS)})
            OR ({lower("FileName")} = 'wmic.exe'
                AND {contains(folded, "shadowcopy")} AND {contains(folded, "delete")})
            OR ({lower("FileName")} = 'wbadmin.exe' AND {matches(command, CATALOG)})
            OR ({lower("FileName")} = 'bcdedit.exe' AND {matches(command, RECOVERY)})
            OR ({lower("FileName")} IN ('powershell.exe', 'pwsh.exe')
                AND {contains(folded, "win32_shadowcopy")}
                AND ({contains(folded, "delete(")} OR {contains(folded, "remove-wmiobject")}
                    OR {contains(folded, "remove-ciminstance")}))
        )"""


def emit(rows):
    """Prints rows, which are dictionaries."""

    def plain(value):
        if isinstance(value, (datetime.datetime,)):
            return value.isoformat()
        return sorted(value) if isinstance(value, (set, frozenset)) else str(value)

    out = sys.stdout
    for row in rows:
        out.write(json.dumps(row, default=plain) + "\n")


# DuckDB ------------------------------------------------------------------


def duckdb_source(folder, table, wanted, form):
    if form == "parquet":
        return f"read_parquet('{folder}/{table}.parquet')"
    types = {"text": "VARCHAR", "long": "BIGINT", "time": "TIMESTAMP", "flag": "BOOLEAN"}
    listed = ", ".join(f"'{name}': '{types[kind(name)]}'" for name in wanted)
    return (
        f"read_json('{folder}/{table}.ndjson', format = 'newline_delimited', "
        f"columns = {{{listed}}}, maximum_object_size = 1048576)"
    )


def duckdb_sql(rule, folder, form):
    def source(table, wanted):
        return duckdb_source(folder, table, wanted, form)

    if rule == "filter":
        condition = filter_condition(
            lambda text: f"lower({text})",
            lambda text, regex: f"regexp_matches({text}, '{regex}')",
            lambda text, part: f"contains({text}, '{part}')",
        )
        events = source("DeviceProcessEvents", [*FILTER_COLUMNS, "ActionType"])
        return f"""
            SELECT {", ".join(FILTER_COLUMNS)} FROM {events}
            WHERE Timestamp >= TIMESTAMP '{SINCE}' AND {condition}"""
    if rule == "json":
        pipe = "(AdditionalFields ->> '$.PipeName')"
        matches = " OR ".join(f"regexp_matches(PipeName, '{regex}')" for regex in PIPES)
        events = source("DeviceEvents", [*JSON_COLUMNS, "ActionType", "AdditionalFields"])
        return f"""
            SELECT * FROM (
                SELECT {", ".join(JSON_COLUMNS)}, {pipe} AS PipeName,
                    (AdditionalFields ->> '$.FileOperation') AS Operation
                FROM {events}
                WHERE ActionType = 'NamedPipeEvent' AND Timestamp >= TIMESTAMP '{SINCE}'
            ) WHERE {matches}"""
    if rule == "summarize":
        events = source("DeviceEvents", columns(folder, "DeviceEvents"))
        calls = ", ".join(f"'{call.lower()}'" for call in CALLS)
        return f"""
            WITH injections AS MATERIALIZED (
                SELECT * FROM (
                    SELECT * REPLACE (lower(InitiatingProcessSHA1) AS InitiatingProcessSHA1),
                        CASE WHEN lower(FolderPath) LIKE '%' || lower(FileName) THEN FolderPath
                            ELSE FolderPath || '\\' || FileName END AS TargetPath,
                        regexp_extract(lower(InitiatingProcessFolderPath), '^(.*)\\\\', 1) AS SourceFolder,
                        regexp_extract(lower(TargetPath), '^(.*)\\\\', 1) AS TargetFolder
                    FROM {events}
                    WHERE lower(ActionType) IN ({calls})
                        AND Timestamp >= TIMESTAMP '{SINCE}'
                        AND ProcessId <> InitiatingProcessId
                        AND InitiatingProcessSHA1 <> ''
                ) WHERE SourceFolder = '' OR SourceFolder <> TargetFolder
            ), rare AS (
                SELECT seen.InitiatingProcessSHA1, DeviceCount,
                    coalesce(GlobalPrevalence, 0) AS Prevalence,
                    coalesce(Signer, '') AS Signer,
                    coalesce(Signer, '') <> '' AND coalesce(IsCertificateValid, false) AS ValidlySigned
                FROM (
                    SELECT InitiatingProcessSHA1, count(DISTINCT DeviceId) AS DeviceCount
                    FROM injections GROUP BY 1 ORDER BY 2 LIMIT 1000
                ) AS seen
                LEFT JOIN read_json('{folder}/FileProfile.ndjson', format = 'newline_delimited') AS profile
                    ON seen.InitiatingProcessSHA1 = profile.SHA1
                WHERE coalesce(lower(ProfileAvailability), '') <> 'error'
                    AND (Prevalence < 200 OR (Prevalence < 500 AND NOT ValidlySigned))
            ), found AS (
                SELECT injections.*, rare.* EXCLUDE (InitiatingProcessSHA1)
                FROM injections JOIN rare USING (InitiatingProcessSHA1)
            )
            SELECT first.* EXCLUDE (SourceFolder, TargetFolder, TargetPath), InjectionTargets, InjectionCalls
            FROM (
                SELECT unnest(arg_min(found, Timestamp)), list(DISTINCT TargetPath) AS InjectionTargets,
                    list(DISTINCT ActionType) AS InjectionCalls
                FROM found GROUP BY DeviceId, InitiatingProcessFolderPath
            ) AS first"""
    events = source("Relate", RELATE_COLUMNS)
    return relate_sql(rule, events, "list(DISTINCT FileName)", "count(DISTINCT {})")


def relate_sql(rule, events, collect, distinct):
    """The large groupings, which the SQL dialects say almost alike."""
    if rule == "group":
        return f"""
            SELECT DeviceId, AccountName, count(*) AS Events, min(Timestamp) AS First, max(ProcessId) AS Highest
            FROM {events} GROUP BY DeviceId, AccountName"""
    if rule == "sets":
        return f"SELECT DeviceId, {collect} AS Files FROM {events} GROUP BY DeviceId"
    if rule == "distinct":
        return f"""
            SELECT FileName, {distinct.format("DeviceId")} AS Devices, {distinct.format("SHA1")} AS Hashes
            FROM {events} GROUP BY FileName"""
    if rule == "join":
        return f"""
            SELECT r.FileName AS FileName, count(*) AS Events, sum(b.Devices) AS Devices
            FROM {events} AS r
            JOIN (
                SELECT AccountName, {distinct.format("DeviceId")} AS Devices
                FROM {events} WHERE FileName = 'powershell.exe' GROUP BY AccountName
            ) AS b ON r.AccountName = b.AccountName
            GROUP BY r.FileName"""
    raise SystemExit(f"no rule {rule}")


def run_duckdb(rule, folder, form):
    import duckdb

    connection = duckdb.connect(config={"threads": THREADS, "preserve_insertion_order": "false"})
    result = connection.execute(duckdb_sql(rule, folder, form))
    names = [column[0] for column in result.description]
    emit(dict(zip(names, row)) for row in result.fetchall())


# Polars ------------------------------------------------------------------


def polars_source(folder, table, wanted, form):
    import polars as pl

    if form == "parquet":
        return pl.scan_parquet(f"{folder}/{table}.parquet").select(wanted)
    # Times are parsed after the rows are chosen.
    types = {"text": pl.String, "long": pl.Int64, "time": pl.String, "flag": pl.Boolean}
    schema = {name: types[kind(name)] for name in wanted}
    return pl.scan_ndjson(f"{folder}/{table}.ndjson", schema=schema)


def polars_since(form):
    import polars as pl

    if form == "parquet":
        return pl.col("Timestamp") >= pl.lit(SINCE).str.to_datetime(time_unit="ns")
    return pl.col("Timestamp") >= SINCE.replace(" ", "T")


def polars_query(rule, folder, form):
    import polars as pl

    col = pl.col

    def lower(name):
        return col(name).str.to_lowercase()

    if rule == "filter":
        command, folded = col("ProcessCommandLine"), lower("ProcessCommandLine")

        def has(part):
            return folded.str.contains(part, literal=True)

        file = lower("FileName")
        return (
            polars_source(folder, "DeviceProcessEvents", [*FILTER_COLUMNS, "ActionType"], form)
            .filter(polars_since(form))
            .filter(lower("ActionType") == "processcreated")
            .filter(
                ((file == "vssadmin.exe") & command.str.contains(SHADOWS))
                | ((file == "wmic.exe") & has("shadowcopy") & has("delete"))
                | ((file == "wbadmin.exe") & command.str.contains(CATALOG))
                | ((file == "bcdedit.exe") & command.str.contains(RECOVERY))
                | (
                    file.is_in(["powershell.exe", "pwsh.exe"])
                    & has("win32_shadowcopy")
                    & (has("delete(") | has("remove-wmiobject") | has("remove-ciminstance"))
                )
            )
            .select(FILTER_COLUMNS)
        )
    if rule == "json":
        fields = col("AdditionalFields").str
        pipe = col("PipeName").str
        return (
            polars_source(folder, "DeviceEvents", [*JSON_COLUMNS, "ActionType", "AdditionalFields"], form)
            .filter(col("ActionType") == "NamedPipeEvent")
            .filter(polars_since(form))
            .with_columns(
                fields.json_path_match("$.PipeName").alias("PipeName"),
                fields.json_path_match("$.FileOperation").alias("Operation"),
            )
            .filter(pl.any_horizontal([pipe.contains(regex) for regex in PIPES]))
            .drop("ActionType", "AdditionalFields")
        )
    if rule == "summarize":
        separator = pl.lit("\\")
        injections = (
            polars_source(folder, "DeviceEvents", columns(folder, "DeviceEvents"), form)
            .filter(lower("ActionType").is_in([call.lower() for call in CALLS]))
            .filter(polars_since(form))
            .filter(col("ProcessId") != col("InitiatingProcessId"))
            .filter(col("InitiatingProcessSHA1") != "")
            .with_columns(
                lower("InitiatingProcessSHA1"),
                pl.when(lower("FolderPath").str.ends_with(lower("FileName")))
                .then(col("FolderPath"))
                .otherwise(pl.concat_str(col("FolderPath"), separator, col("FileName")))
                .alias("TargetPath"),
            )
            .with_columns(
                lower("InitiatingProcessFolderPath").str.extract(r"^(.*)\\", 1).fill_null("").alias("SourceFolder"),
                lower("TargetPath").str.extract(r"^(.*)\\", 1).fill_null("").alias("TargetFolder"),
            )
            .filter((col("SourceFolder") == "") | (col("SourceFolder") != col("TargetFolder")))
        )
        profiles = pl.scan_ndjson(f"{folder}/FileProfile.ndjson").drop("SHA256")
        rare = (
            injections.group_by("InitiatingProcessSHA1")
            .agg(col("DeviceId").n_unique().alias("DeviceCount"))
            .bottom_k(1000, by="DeviceCount")
            .join(profiles, left_on="InitiatingProcessSHA1", right_on="SHA1", how="left")
            .filter(lower("ProfileAvailability").fill_null("") != "error")
            .select(
                "InitiatingProcessSHA1",
                "DeviceCount",
                col("GlobalPrevalence").fill_null(0).alias("Prevalence"),
                col("Signer").fill_null(""),
                ((col("Signer").fill_null("") != "") & col("IsCertificateValid").fill_null(False)).alias(
                    "ValidlySigned"
                ),
            )
            .filter((col("Prevalence") < 200) | ((col("Prevalence") < 500) & ~col("ValidlySigned")))
        )
        return (
            injections.join(rare, on="InitiatingProcessSHA1", how="inner")
            .group_by("DeviceId", "InitiatingProcessFolderPath")
            .agg(
                pl.all().exclude("TargetPath", "SourceFolder", "TargetFolder").sort_by("Timestamp").first(),
                col("TargetPath").unique().alias("InjectionTargets"),
                col("ActionType").unique().alias("InjectionCalls"),
            )
        )
    events = polars_source(folder, "Relate", RELATE_COLUMNS, form)
    if rule == "group":
        return events.group_by("DeviceId", "AccountName").agg(
            pl.len().alias("Events"),
            col("Timestamp").min().alias("First"),
            col("ProcessId").max().alias("Highest"),
        )
    if rule == "sets":
        return events.group_by("DeviceId").agg(col("FileName").unique().alias("Files"))
    if rule == "distinct":
        return events.group_by("FileName").agg(
            col("DeviceId").n_unique().alias("Devices"), col("SHA1").n_unique().alias("Hashes")
        )
    if rule == "join":
        busy = (
            events.filter(col("FileName") == "powershell.exe")
            .group_by("AccountName")
            .agg(col("DeviceId").n_unique().alias("Devices"))
        )
        return (
            events.select("FileName", "AccountName")
            .join(busy, on="AccountName")
            .group_by("FileName")
            .agg(pl.len().alias("Events"), col("Devices").sum())
        )
    raise SystemExit(f"no rule {rule}")


def run_polars(rule, folder, form):
    import os

    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    result = polars_query(rule, folder, form).collect(engine="streaming")
    emit(result.iter_rows(named=True))


# DataFusion --------------------------------------------------------------


def run_datafusion(rule, folder, form):
    import datafusion
    import pyarrow as pa

    # It has no functions for JSON, so the rule over a JSON column is not here.
    if rule == "json":
        raise SystemExit("not supported")
    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(THREADS))
    # Without this, names are folded to lower case and found by none of the columns.
    context.sql("SET datafusion.sql_parser.enable_ident_normalization = false")

    def register(table, wanted):
        if form == "parquet":
            context.register_parquet("events", f"{folder}/{table}.parquet")
            return
        types = {"text": pa.string(), "long": pa.int64(), "time": pa.timestamp("ns"), "flag": pa.bool_()}
        schema = pa.schema([(name, types[kind(name)]) for name in wanted])
        context.register_json("events", f"{folder}/{table}.ndjson", schema=schema, file_extension=".ndjson")

    if rule == "filter":
        register("DeviceProcessEvents", [*FILTER_COLUMNS, "ActionType"])
        condition = filter_condition(
            lambda text: f"lower({text})",
            lambda text, regex: f"regexp_like({text}, '{regex}')",
            lambda text, part: f"contains({text}, '{part}')",
        )
        sql = f"""
            SELECT {", ".join(FILTER_COLUMNS)} FROM events
            WHERE Timestamp >= TIMESTAMP '{SINCE}' AND {condition}"""
    elif rule == "summarize":
        raise SystemExit("not supported")
    else:
        register("Relate", RELATE_COLUMNS)
        sql = relate_sql(rule, "events", "array_agg(DISTINCT FileName)", "count(DISTINCT {})")
    for batch in context.sql(sql).collect():
        emit(batch.to_pylist())


# chdb --------------------------------------------------------------------


def run_chdb(rule, folder, form):
    import chdb

    def source(table, wanted):
        if form == "parquet":
            return f"file('{folder}/{table}.parquet', Parquet)"
        types = {"text": "String", "long": "Nullable(Int64)", "time": "DateTime64(9, \\'UTC\\')", "flag": "Bool"}
        listed = ", ".join(f"{name} {types[kind(name)]}" for name in wanted)
        return f"file('{folder}/{table}.ndjson', JSONEachRow, '{listed}')"

    def quoted(text):
        return "'" + text.replace("\\", "\\\\") + "'"

    if rule == "filter":
        condition = filter_condition(
            lambda text: f"lower({text})",
            lambda text, regex: f"match({text}, {quoted(regex)})",
            lambda text, part: f"position({text}, '{part}') > 0",
        )
        events = source("DeviceProcessEvents", [*FILTER_COLUMNS, "ActionType"])
        sql = f"""
            SELECT {", ".join(FILTER_COLUMNS)} FROM {events}
            WHERE Timestamp >= toDateTime64('{SINCE}', 9, 'UTC') AND {condition}"""
    elif rule == "json":
        events = source("DeviceEvents", [*JSON_COLUMNS, "ActionType", "AdditionalFields"])
        matches = " OR ".join(f"match(PipeName, {quoted(regex)})" for regex in PIPES)
        sql = f"""
            SELECT {", ".join(JSON_COLUMNS)}, JSONExtractString(AdditionalFields, 'PipeName') AS PipeName,
                JSONExtractString(AdditionalFields, 'FileOperation') AS Operation
            FROM {events}
            WHERE ActionType = 'NamedPipeEvent' AND Timestamp >= toDateTime64('{SINCE}', 9, 'UTC') AND ({matches})"""
    elif rule == "summarize":
        raise SystemExit("not supported")
    else:
        sql = relate_sql(rule, source("Relate", RELATE_COLUMNS), "groupUniqArray(FileName)", "uniqExact({})")
    settings = (
        f" SETTINGS max_threads = {THREADS}, date_time_input_format = 'best_effort', "
        "output_format_json_quote_64bit_integers = 0"
    )
    sys.stdout.write(str(chdb.query(sql + settings, "JSONEachRow")))


if __name__ == "__main__":
    engine, rule, folder, form = sys.argv[1:5]
    {"duckdb": run_duckdb, "polars": run_polars, "datafusion": run_datafusion, "chdb": run_chdb}[engine](
        rule, folder, form
    )
