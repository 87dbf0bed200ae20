//! The words of the language.
//!
//! In: a word of the source. Out: which keyword it is, and where it may still
//! be used as a plain name; nearly half of the keywords may. Deliberately
//! absent: names of functions, plugins and charts, which are no keywords.
//! Where each word may be a name was established by asking Microsoft's parser
//! for every word in every position.

/// Where a keyword may be used as a name without brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Anywhere.
    Name,
    /// Where a name is declared: `extend title = 1`, `(of: string)`.
    Declared,
    /// Where a name is used, but not where one is declared.
    Referenced,
    /// Nowhere.
    Reserved,
}

macro_rules! keywords {
    ($($variant:ident = $text:literal, $class:ident;)*) => {
        /// A keyword. Some are more than one word in the usual sense:
        /// `mv-expand`, `matches regex`, `hint.strategy`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Keyword { $(#[doc = concat!("`", $text, "`")] $variant,)* }

        /// All keywords, shorter ones first, then by text.
        const TABLE: &[(&str, Keyword, Class)] = &[$(($text, Keyword::$variant, Class::$class),)*];
    };
}

keywords! {
    As = "as", Declared;
    By = "by", Declared;
    Id = "id", Name;
    In = "in", Declared;
    Of = "of", Declared;
    On = "on", Name;
    Or = "or", Reserved;
    To = "to", Declared;
    NotIn = "!in", Reserved;
    And = "and", Reserved;
    Asc = "asc", Reserved;
    Bin = "bin", Name;
    Has = "has", Declared;
    Int = "int", Reserved;
    InTilde = "in~", Reserved;
    Let = "let", Name;
    Mdm = "mdm", Declared;
    Set = "set", Declared;
    Sql = "sql", Declared;
    Top = "top", Name;
    NotHas = "!has", Reserved;
    NotInTilde = "!in~", Reserved;
    InternalId = "__id", Reserved;
    Bool = "bool", Name;
    Byte = "byte", Reserved;
    Card = "card", Reserved;
    Char = "char", Reserved;
    Date = "date", Reserved;
    Desc = "desc", Reserved;
    Find = "find", Declared;
    Fork = "fork", Name;
    From = "from", Name;
    Guid = "guid", Name;
    Int8 = "int8", Reserved;
    Join = "join", Name;
    Kind = "kind", Referenced;
    Last = "last", Reserved;
    Like = "like", Reserved;
    Long = "long", Reserved;
    Null = "null", Name;
    Pack = "pack", Name;
    Real = "real", Reserved;
    Scan = "scan", Name;
    Seal = "seal", Reserved;
    Sort = "sort", Name;
    Step = "step", Name;
    Take = "take", Name;
    Time = "time", Reserved;
    Uint = "uint", Reserved;
    Uuid = "uuid", Name;
    View = "view", Name;
    With = "with", Name;
    Alias = "alias", Name;
    Count = "count", Name;
    Edges = "edges", Name;
    Facet = "facet", Name;
    First = "first", Reserved;
    Flags = "flags", Reserved;
    Float = "float", Reserved;
    Graph = "graph", Name;
    Int16 = "int16", Reserved;
    Int32 = "int32", Reserved;
    Int64 = "int64", Reserved;
    Limit = "limit", Name;
    Nodes = "nodes", Name;
    Nulls = "nulls", Name;
    Order = "order", Name;
    Parse = "parse", Name;
    Print = "print", Declared;
    Range = "range", Name;
    Regex = "regex", Name;
    Seals = "seals", Reserved;
    Title = "title", Declared;
    Uint8 = "uint8", Reserved;
    Ulong = "ulong", Reserved;
    Union = "union", Reserved;
    Views = "views", Reserved;
    Where = "where", Declared;
    Access = "access", Name;
    Cancel = "cancel", Reserved;
    Cycles = "cycles", Reserved;
    Double = "double", Reserved;
    Extend = "extend", Name;
    Filter = "filter", Name;
    HasCs = "has_cs", Reserved;
    Invoke = "invoke", Declared;
    Latest = "latest", Declared;
    Likecs = "likecs", Reserved;
    Lookup = "lookup", Name;
    Others = "others", Reserved;
    Output = "output", Name;
    Plotly = "plotly", Name;
    Reduce = "reduce", Name;
    Render = "render", Name;
    Sample = "sample", Declared;
    Search = "search", Declared;
    Shards = "shards", Reserved;
    Simple = "simple", Reserved;
    String = "string", Reserved;
    Typeof = "typeof", Name;
    Uint16 = "uint16", Reserved;
    Uint32 = "uint32", Reserved;
    Uint64 = "uint64", Reserved;
    NotHasCs = "!has_cs", Reserved;
    Chart3D = "3Dchart", Reserved;
    Between = "between", Reserved;
    Boolean = "boolean", Reserved;
    Callout = "callout", Reserved;
    Consume = "consume", Name;
    Decimal = "decimal", Reserved;
    Declare = "declare", Name;
    Default = "default", Name;
    Dynamic = "dynamic", Reserved;
    HasAll = "has_all", Reserved;
    HasAny = "has_any", Reserved;
    Isfuzzy = "isfuzzy", Reserved;
    Journal = "journal", Reserved;
    Missing = "missing", Reserved;
    Mvapply = "mvapply", Name;
    Notlike = "notlike", Reserved;
    Pattern = "pattern", Name;
    Project = "project", Reserved;
    Queries = "queries", Reserved;
    Relaxed = "relaxed", Reserved;
    Totable = "totable", Declared;
    Treemap = "treemap", Reserved;
    Verbose = "verbose", Declared;
    Viewers = "viewers", Declared;
    NotBetween = "!between", Reserved;
    Barchart = "barchart", Reserved;
    Contains = "contains", Declared;
    Database = "database", Name;
    Datetime = "datetime", Reserved;
    Distinct = "distinct", Name;
    Earliest = "earliest", Declared;
    Endswith = "endswith", Reserved;
    Evaluate = "evaluate", Name;
    Hotcache = "hotcache", Reserved;
    MvApply = "mv-apply", Reserved;
    Mvexpand = "mvexpand", Name;
    Optional = "optional", Name;
    ParseKv = "parse-kv", Reserved;
    Piechart = "piechart", Reserved;
    Restrict = "restrict", Name;
    Rowstore = "rowstore", Reserved;
    Timeline = "timeline", Reserved;
    Timespan = "timespan", Reserved;
    Toscalar = "toscalar", Declared;
    Uniqueid = "uniqueid", Reserved;
    NotContains = "!contains", Reserved;
    NotEndswith = "!endswith", Reserved;
    InternalCrossDb = "__crossDB", Reserved;
    InternalIsFuzzy = "__isFuzzy", Reserved;
    Areachart = "areachart", Reserved;
    Datascope = "datascope", Reserved;
    Datatable = "datatable", Declared;
    Getschema = "getschema", Name;
    Hasprefix = "hasprefix", Reserved;
    Hassuffix = "hassuffix", Reserved;
    Linechart = "linechart", Reserved;
    MvExpand = "mv-expand", Reserved;
    Notlikecs = "notlikecs", Reserved;
    Partition = "partition", Name;
    Rowstores = "rowstores", Reserved;
    Serialize = "serialize", Name;
    Summarize = "summarize", Name;
    Timechart = "timechart", Reserved;
    Timepivot = "timepivot", Reserved;
    NotHasprefix = "!hasprefix", Reserved;
    NotHassuffix = "!hassuffix", Reserved;
    Accumulate = "accumulate", Declared;
    Containscs = "containscs", Reserved;
    Dataexport = "dataexport", Reserved;
    Dataformat = "dataformat", Name;
    GrannyAsc = "granny-asc", Reserved;
    Harddelete = "harddelete", Reserved;
    MakeGraph = "make-graph", Reserved;
    Pathformat = "pathformat", Reserved;
    Pivotchart = "pivotchart", Reserved;
    Softdelete = "softdelete", Reserved;
    Startswith = "startswith", Reserved;
    Statistics = "statistics", Reserved;
    Tablepurge = "tablepurge", Reserved;
    TopNested = "top-nested", Declared;
    Withsource = "withsource", Referenced;
    NotStartswith = "!startswith", Reserved;
    BestEffort = "best_effort", Name;
    Columnchart = "columnchart", Reserved;
    ContainsCs = "contains_cs", Reserved;
    EndswithCs = "endswith_cs", Reserved;
    GrannyDesc = "granny-desc", Reserved;
    GraphMatch = "graph-match", Reserved;
    HintRemote = "hint.remote", Reserved;
    HintSpread = "hint.spread", Reserved;
    Ladderchart = "ladderchart", Reserved;
    MakeSeries = "make-series", Reserved;
    Materialize = "materialize", Declared;
    Notcontains = "notcontains", Reserved;
    ParseWhere = "parse-where", Reserved;
    TopHitters = "top-hitters", Declared;
    WithSource = "with_source", Referenced;
    NotContainsCs = "!contains_cs", Reserved;
    NotEndswithCs = "!endswith_cs", Reserved;
    Anomalychart = "anomalychart", Reserved;
    Bagexpansion = "bagexpansion", Reserved;
    Decodeblocks = "decodeblocks", Reserved;
    EntityGroup = "entity_group", Name;
    Expandoutput = "expandoutput", Reserved;
    Externaldata = "externaldata", Declared;
    ForceRemote = "force_remote", Reserved;
    HasprefixCs = "hasprefix_cs", Reserved;
    HassuffixCs = "hassuffix_cs", Reserved;
    MacroExpand = "macro-expand", Reserved;
    ProjectAway = "project-away", Reserved;
    ProjectKeep = "project-keep", Reserved;
    Scatterchart = "scatterchart", Reserved;
    WithNodeId = "with_node_id", Name;
    NotHasprefixCs = "!hasprefix_cs", Reserved;
    NotHassuffixCs = "!hassuffix_cs", Reserved;
    PartitionBy = "__partitionby", Name;
    InternalProjectAway = "__projectAway", Reserved;
    AssertSchema = "assert-schema", Reserved;
    Cachingpolicy = "cachingpolicy", Reserved;
    ExternalDataOld = "external_data", Reserved;
    Hardretention = "hardretention", Reserved;
    HintStrategy = "hint.strategy", Reserved;
    MatchesRegex = "matches regex", Reserved;
    Notcontainscs = "notcontainscs", Reserved;
    ProjectSmart = "project-smart", Reserved;
    QueryResults = "query_results", Reserved;
    SetOrAppend = "set-or-append", Reserved;
    Softretention = "softretention", Reserved;
    StartswithCs = "startswith_cs", Reserved;
    WithMatchId = "with_match_id", Reserved;
    Writeaheadlog = "writeaheadlog", Reserved;
    NotStartswithCs = "!startswith_cs", Reserved;
    InternalCrossCluster = "__crossCluster", Reserved;
    InternalNoWithSource = "__noWithSource", Reserved;
    InternalPackedColumn = "__packedColumn", Reserved;
    Encodingpolicy = "encodingpolicy", Reserved;
    GraphToTable = "graph-to-table", Reserved;
    Nooptimization = "nooptimization", Reserved;
    PartitionedBy = "partitioned-by", Reserved;
    ProjectRename = "project-rename", Reserved;
    Rowstorepolicy = "rowstorepolicy", Reserved;
    SetOrReplace = "set-or-replace", Reserved;
    WithItemindex = "with_itemindex", Reserved;
    WithStepName = "with_step_name", Reserved;
    HintShufflekey = "hint.shufflekey", Reserved;
    ProjectReorder = "project-reorder", Reserved;
    SampleDistinct = "sample-distinct", Declared;
    DatetimePattern = "datetime_pattern", Name;
    HintConcurrency = "hint.concurrency", Reserved;
    ProjectByNames = "project-by-names", Reserved;
    QueryParameters = "query_parameters", Name;
    Stackedareachart = "stackedareachart", Reserved;
    ExecuteAndCache = "__executeAndCache", Reserved;
    GraphWhereEdges = "graph-where-edges", Reserved;
    GraphWhereNodes = "graph-where-nodes", Reserved;
    HintDistribution = "hint.distribution", Reserved;
    HintMaterialized = "hint.materialized", Reserved;
    RowstoreSealinfo = "rowstore_sealinfo", Reserved;
    MaterializedViews = "materialized-views", Reserved;
    RowLevelSecurity = "row_level_security", Reserved;
    InternalSourceColumnIndex = "__sourceColumnIndex", Reserved;
    HintNumPartitions = "hint.num_partitions", Reserved;
    RowstoreReferences = "rowstore_references", Reserved;
    Unrestrictedviewers = "unrestrictedviewers", Reserved;
    CommandsAndQueries = "commands-and-queries", Reserved;
    GraphShortestPaths = "graph-shortest-paths", Reserved;
    HintProgressiveTop = "hint.progressive_top", Reserved;
    ExtentTagsRetention = "extent_tags_retention", Reserved;
    GraphMarkComponents = "graph-mark-components", Reserved;
    InlineExternalTable = "inline_external_table", Name;
    ContextualDatatable = "__contextual_datatable", Reserved;
    RestrictedViewAccess = "restricted_view_access", Reserved;
    MaterializedViewCombine = "materialized-view-combine", Reserved;
    Storedqueryresultcontainers = "storedqueryresultcontainers", Reserved;
}

/// Where the keywords of each length begin in the table.
const STARTS: [usize; 33] = {
    let mut starts = [TABLE.len(); 33];
    let mut index = TABLE.len();
    while index > 0 {
        index -= 1;
        let len = TABLE[index].0.len();
        let mut l = len;
        while l > 0 && starts[l] > index {
            starts[l] = index;
            l -= 1;
        }
        starts[0] = 0;
    }
    starts
};

impl Keyword {
    /// The keyword spelled exactly so; case matters in this language.
    pub fn from_text(text: &str) -> Option<Self> {
        let len = text.len();
        if !(2..32).contains(&len) || text.as_bytes()[0].is_ascii_uppercase() {
            return None;
        }
        let bucket = TABLE.get(STARTS[len]..STARTS[len + 1])?;
        bucket
            .binary_search_by(|(word, _, _)| (*word).cmp(text))
            .ok()
            .map(|index| bucket[index].1)
    }

    /// The spelling.
    pub fn as_str(self) -> &'static str {
        TABLE[self as usize].0
    }

    pub(crate) fn class(self) -> Class {
        TABLE[self as usize].2
    }
}

/// Keywords with a character no identifier has, by their first word: the lexer
/// joins them when they are written without blanks. Longer ones come first.
pub(crate) fn joined(first: &str) -> &'static [&'static str] {
    match first {
        "project" => &[
            "project-by-names",
            "project-reorder",
            "project-rename",
            "project-smart",
            "project-away",
            "project-keep",
        ],
        "mv" => &["mv-expand", "mv-apply"],
        "make" => &["make-series", "make-graph"],
        "parse" => &["parse-where", "parse-kv"],
        "top" => &["top-hitters", "top-nested"],
        "sample" => &["sample-distinct"],
        "graph" => &[
            "graph-mark-components",
            "graph-shortest-paths",
            "graph-where-edges",
            "graph-where-nodes",
            "graph-to-table",
            "graph-match",
        ],
        "macro" => &["macro-expand"],
        "granny" => &["granny-desc", "granny-asc"],
        "partitioned" => &["partitioned-by"],
        "set" => &["set-or-replace", "set-or-append"],
        "assert" => &["assert-schema"],
        "materialized" => &["materialized-view-combine", "materialized-views"],
        "commands" => &["commands-and-queries"],
        "matches" => &["matches regex"],
        "hint" => &[
            "hint.progressive_top",
            "hint.num_partitions",
            "hint.distribution",
            "hint.materialized",
            "hint.concurrency",
            "hint.shufflekey",
            "hint.strategy",
            "hint.remote",
            "hint.spread",
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_by_its_text() {
        for (text, keyword, _) in TABLE {
            assert_eq!(Keyword::from_text(text), Some(*keyword), "{text}");
            assert_eq!(keyword.as_str(), *text);
        }
        assert_eq!(Keyword::from_text("wherever"), None);
        assert_eq!(Keyword::from_text("Where"), None);
        assert_eq!(Keyword::from_text(""), None);
    }

    #[test]
    fn joined_keywords_are_keywords_and_longer_ones_come_first() {
        for first in ["project", "mv", "make", "parse", "top", "graph", "hint", "set"] {
            let list = joined(first);
            assert!(!list.is_empty());
            for word in list {
                assert!(Keyword::from_text(word).is_some(), "{word}");
            }
            assert!(list.windows(2).all(|w| w[0].len() >= w[1].len()));
        }
    }
}
